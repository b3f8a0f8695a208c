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
  type Piece,
  pairsToObject,
  type ReplyHead,
  RequestBody,
  streamSource,
  toObject,
} from "../proxy/index.js";
import { badRequest, sendAnswer } from "./answers.js";
import { Hop } from "./hop.js";
import { Incoming } from "./incoming.js";
import { h2StreamLimit, h2WindowBytes } from "./limits.js";
import { RequestReader } from "./requestHead.js";
import { type FrontReply, type Shared, serve } from "./serve.js";
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
    let streams = 0;
    session.on("stream", (stream) => {
      streams += 1;
      stream.once("close", () => {
        streams -= 1;
      });
    });
    session.setTimeout(shared.limits.keepAliveMs, () => {
      if (streams === 0) session.close();
    });
    // A broken session destroys its streams, and those tell whoever serves them.
    session.on("error", () => {});
  });
  server.on("sessionError", () => {});
  // node:http2 gives the raw list as a fourth argument that its types do not know.
  server.on(
    "stream",
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw?: unknown) => {
      serveStream(common, stream, headers, flags, Array.isArray(raw) ? (raw as string[]) : []);
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

function serveStream(
  { shared, listener, reader }: Common,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  raw: readonly string[],
): void {
  stream.on("error", () => {});
  const lines = asHttp1(headers, raw);
  if (lines === undefined) {
    stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  const { session } = stream;
  const bytes = Buffer.from(lines, "latin1");
  const hop = new Hop(
    session?.socket.remoteAddress ?? "",
    session?.encrypted === true,
    session?.socket.remotePort,
  );
  const incoming = reader.read(bytes, 0, bytes.length, hop);
  const reply = new Http2Reply(stream);
  if (!(incoming instanceof Incoming)) {
    shared.stats.answered("BadRequest");
    const asked = { method: headers[":method"] ?? "", grpc: false };
    sendAnswer(reply, asked, badRequest(incoming.because, incoming.status), true);
    return;
  }
  incoming.upgrade = undefined;
  let trailers: readonly string[] = [];
  let body: RequestBody | undefined;
  if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) {
    stream.on("trailers", (_headers: IncomingHttpHeaders, _flags: number, list?: unknown) => {
      if (Array.isArray(list)) trailers = list as string[];
    });
    body = new RequestBody(
      streamSource(stream, () => trailers),
      incoming.contentLength,
      shared.limits,
    );
  }
  serve(shared, incoming, { listener, reply, overH2: true, body });
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

class Http2Reply implements FrontReply {
  onDrain: (() => void) | undefined;
  onGone: (() => void) | undefined;
  timing: (() => string) | undefined;
  private trailers: readonly string[] = [];
  private answered = false;

  constructor(private readonly stream: ServerHttp2Stream) {
    stream.on("drain", () => this.onDrain?.());
    stream.on("close", () => {
      if (!this.answered) this.onGone?.();
    });
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
    this.stream.on("wantTrailers", () =>
      this.guarded(() => this.stream.sendTrailers(pairsToObject(this.trailers))),
    );
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
    return this.gone ? true : this.stream.write(chunk, "latin1");
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
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}
