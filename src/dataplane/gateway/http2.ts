// The HTTP/2 front, without TLS and with prior knowledge: gRPC clients, and whoever wants many streams on a socket.
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import {
  type BodySource,
  type Piece,
  pairsToObject,
  type ReplyHead,
  RequestBody,
  toObject,
} from "../proxy/index.js";
import { badRequest, sendAnswer } from "./answers.js";
import { deadlineTrailers, grpcTimeoutMs } from "./grpcDeadline.js";
import { Hop } from "./hop.js";
import { Incoming } from "./incoming.js";
import { deadlineMarginMs, h2StreamLimit, h2WindowBytes } from "./limits.js";
import { RequestReader } from "./requestHead.js";
import { type Front, type FrontReply, type Shared, serve } from "./serve.js";
import type { ListenerName } from "./table.js";

export interface H2Front {
  accept(socket: Socket): void;
  /** No new streams; each session closes with its last one. */
  drain(): void;
}

export function h2Front(shared: Shared, listener: ListenerName): H2Front {
  const sessions = new Set<ServerHttp2Session>();
  const common: Common = { shared, listener, reader: new RequestReader() };
  const server = createServer({
    settings: {
      maxConcurrentStreams: h2StreamLimit,
      initialWindowSize: h2WindowBytes,
      maxHeaderListSize: shared.limits.headBytes,
      enablePush: false,
    },
  });
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    const client: Client = {
      common,
      hop: new Hop(session.socket.remoteAddress ?? "", session.encrypted === true, session.socket.remotePort),
      streams: 0,
    };
    (session as ServerHttp2Session & { [ours]?: Client })[ours] = client;
    session.setTimeout(shared.limits.keepAliveMs, () => {
      if (client.streams === 0) session.close();
    });
    // A broken session destroys its streams, and those tell whoever serves them.
    session.on("error", () => {});
  });
  server.on("sessionError", () => {});
  // node:http2 gives the raw list as a fourth argument that its types do not know.
  server.on(
    "stream",
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw?: unknown) => {
      const client = (stream.session as (ServerHttp2Session & { [ours]?: Client }) | undefined)?.[ours];
      if (client === undefined) stream.on("error", ignore).close(constants.NGHTTP2_CANCEL);
      else serveStream(client, stream, headers, flags, Array.isArray(raw) ? (raw as string[]) : []);
    },
  );
  return {
    accept: (socket) => void server.emit("connection", socket),
    drain() {
      for (const session of sessions) session.close();
    },
  };
}

/** HTTP/2 carries these as lengths of bytes: what would break a line of HTTP/1.1 must not come through. */
const breaksLines = /[\r\n\0]/;

interface Common {
  readonly shared: Shared;
  readonly listener: ListenerName;
  readonly reader: RequestReader;
}

const ours = Symbol("what we know of a session or a stream");

interface Client {
  readonly common: Common;
  readonly hop: Hop;
  streams: number;
}

function serveStream(
  client: Client,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  raw: readonly string[],
): void {
  const { shared, reader } = client.common;
  const reply = new Http2Reply(client, stream);
  const lines = asHttp1(headers, raw);
  if (lines === undefined) {
    stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  const bytes = Buffer.from(lines, "latin1");
  const incoming = reader.read(bytes, 0, bytes.length, client.hop);
  if (!(incoming instanceof Incoming)) {
    shared.stats.answered("BadRequest");
    const asked = { method: headers[":method"] ?? "", grpc: false };
    sendAnswer(reply, asked, badRequest(incoming.because, incoming.status), true);
    return;
  }
  incoming.upgrade = undefined;
  reply.expect(grpcTimeoutMs(incoming));
  if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) {
    // They may come before anybody has asked for the body.
    stream.on("trailers", trailersCame);
    reply.body = new RequestBody(reply, incoming.contentLength, shared.limits);
  }
  serve(shared, incoming, reply);
}

/** The head as HTTP/1.1 would have it, so that one reader judges both. */
function asHttp1(headers: IncomingHttpHeaders, raw: readonly string[]): string | undefined {
  const authority = headers[":authority"];
  let head = `${headers[":method"]} ${headers[":path"]} HTTP/1.1`;
  let cookies: string | undefined;
  if (breaksLines.test(head)) return undefined;
  head += authority === undefined ? "\r\n" : `\r\nhost: ${authority}\r\n`;
  if (authority !== undefined && breaksLines.test(authority)) return undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    if (name.startsWith(":")) continue;
    if (breaksLines.test(value) || breaksLines.test(name)) return undefined;
    // HTTP/2 may split cookies over several fields; HTTP/1.1 knows one.
    if (name === "cookie") cookies = cookies === undefined ? value : `${cookies}; ${value}`;
    else if (name !== "host" || authority === undefined) head += `${name}: ${value}\r\n`;
  }
  return cookies === undefined ? head : `${head}cookie: ${cookies}\r\n`;
}

type Carrying = ServerHttp2Stream & { [ours]?: Http2Reply | undefined };

/** One request on a stream: where its body comes from, and where its answer goes. */
class Http2Reply implements Front, FrontReply, BodySource {
  readonly overH2 = true;
  onDrain: (() => void) | undefined;
  onGone: (() => void) | undefined;
  timing: (() => string) | undefined;
  body: RequestBody | undefined;
  /** Those after the client's body. */
  heard: readonly string[] = [];
  private trailers: readonly string[] = [];
  private answered = false;
  private waits = false;
  /** When a gRPC caller gives up. */
  private deadlineMs: number | undefined;

  constructor(
    private readonly client: Client,
    private readonly stream: ServerHttp2Stream,
  ) {
    (stream as Carrying)[ours] = this;
    client.streams += 1;
    stream.on("error", ignore);
    stream.on("close", closed);
  }

  get listener(): ListenerName {
    return this.client.common.listener;
  }

  get reply(): FrontReply {
    return this;
  }

  expect(withinMs: number | undefined): void {
    if (withinMs !== undefined) this.deadlineMs = performance.now() + withinMs;
  }

  start(body: RequestBody): void {
    const { stream } = this;
    stream.on("end", bodyEnded);
    stream.on("data", bytesCame);
    // `close` comes once only; a client that left before anyone listened must be noticed too.
    if (stream.destroyed && !stream.readableEnded) body.lost();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  abandon(): void {
    this.stream.pause();
  }

  closed(): void {
    this.client.streams -= 1;
    // Node keeps a closed stream for long: what hung on it goes now.
    (this.stream as Carrying)[ours] = undefined;
    this.body?.lost();
    if (!this.answered) this.onGone?.();
  }

  sendTrailers(): void {
    this.guarded(() => this.stream.sendTrailers(pairsToObject(this.trailers)));
  }

  get gone(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }

  inform(status: number, lines: string): void {
    if (this.gone || this.stream.headersSent) return;
    this.guarded(() => this.stream.additionalHeaders({ ":status": status, ...toObject(lines) }));
  }

  begin(head: ReplyHead): void {
    if (this.gone) return;
    const headers = toObject(head.lines);
    headers[":status"] = head.status;
    if (this.timing !== undefined) headers["server-timing"] = this.timing();
    if (!head.hasBody) {
      this.answered = true;
      this.guarded(() => this.stream.respond(headers, { endStream: true }));
      return;
    }
    this.stream.on("wantTrailers", trailersWanted);
    this.guarded(() => this.stream.respond(headers, { waitForTrailers: true }));
  }

  flush(): void {
    // The head was on its way at once.
  }

  /** Node refuses some fields that HTTP/1.1 may carry, doubled ones above all: such an answer is a broken one. */
  private guarded(send: () => void): void {
    try {
      send();
    } catch {
      this.abort();
    }
  }

  write(chunk: Piece): boolean {
    if (this.gone) return true;
    const room = this.stream.write(chunk, "latin1");
    if (!room && !this.waits) {
      this.waits = true;
      this.stream.on("drain", drained);
    }
    return room;
  }

  end(last: Piece | undefined, trailers: readonly string[]): void {
    if (this.answered) {
      // The client may still be sending what the answer made pointless.
      if (!this.stream.readableEnded) this.stream.close(constants.NGHTTP2_NO_ERROR);
      return;
    }
    this.answered = true;
    if (this.gone) return;
    this.trailers = trailers;
    if (last === undefined) this.stream.end();
    else this.stream.end(last, "latin1");
  }

  abort(): void {
    const late = this.deadlineMs !== undefined && performance.now() >= this.deadlineMs - deadlineMarginMs;
    if (late && this.stream.headersSent && !this.answered && !this.gone)
      this.end(undefined, deadlineTrailers);
    else this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}

// The same functions for every stream: closures would be made, and kept, half a dozen for each.
function ignore(): void {
  // A broken stream closes, and that is what counts.
}

function drained(this: Carrying): void {
  this[ours]?.onDrain?.();
}

function closed(this: Carrying): void {
  this[ours]?.closed();
}

function bytesCame(this: Carrying, chunk: Buffer): void {
  this[ours]?.body?.take(chunk);
}

function trailersCame(this: Carrying, _headers: IncomingHttpHeaders, _flags: number, list?: unknown): void {
  const request = this[ours];
  if (request !== undefined && Array.isArray(list)) request.heard = list as string[];
}

function bodyEnded(this: Carrying): void {
  const request = this[ours];
  request?.body?.finish(request.heard);
}

function trailersWanted(this: Carrying): void {
  this[ours]?.sendTrailers();
}
