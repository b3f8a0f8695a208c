// The HTTP/2 front, without TLS and with prior knowledge: gRPC clients, and whoever wants many streams on a socket.
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { pairsToObject, type ReplyHead } from "../proxy/index.js";
import { readHead } from "./incoming.js";
import { h2StreamLimit, h2WindowBytes, headLimitBytes, keepAliveMs } from "./limits.js";
import { type FrontReply, type Shared, serve } from "./serve.js";
import type { ListenerName } from "./table.js";

export interface H2Front {
  accept(socket: Socket): void;
  /** No new streams; each session closes with its last one. */
  drain(): void;
}

export function h2Front(shared: Shared, listener: ListenerName): H2Front {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer({
    settings: {
      maxConcurrentStreams: h2StreamLimit,
      initialWindowSize: h2WindowBytes,
      maxHeaderListSize: headLimitBytes,
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
    session.setTimeout(keepAliveMs, () => {
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
      serveStream(shared, listener, stream, headers, flags, Array.isArray(raw) ? (raw as string[]) : []);
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
const cleanTarget = /^[\x21-\x7e\x80-\xff]+$/;
const cleanMethod = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const cleanValue = /^[\t\x20-\x7e\x80-\xff]*$/;

function serveStream(
  shared: Shared,
  listener: ListenerName,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawList: readonly string[],
): void {
  stream.on("error", () => {});
  const method = headers[":method"] ?? "";
  const path = headers[":path"] ?? "";
  const authority = headers[":authority"];
  const raw: string[] = authority === undefined ? [] : ["host", authority];
  const cookies: string[] = [];
  let clean = cleanMethod.test(method) && cleanTarget.test(path) && method !== "CONNECT";
  for (let index = 0; index + 1 < rawList.length; index += 2) {
    const name = rawList[index] as string;
    const value = rawList[index + 1] as string;
    if (name.startsWith(":")) continue;
    if (!cleanMethod.test(name) || !cleanValue.test(value)) clean = false;
    // HTTP/2 may split cookies over several fields; HTTP/1.1 knows one.
    if (name === "cookie") cookies.push(value);
    else if (name !== "host" || authority === undefined) raw.push(name, value);
  }
  if (cookies.length > 0) raw.push("cookie", cookies.join("; "));
  if (authority !== undefined && !cleanValue.test(authority)) clean = false;
  if (!clean) {
    stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  let trailers: string[] = [];
  stream.on("trailers", (_headers: IncomingHttpHeaders, _flags: number, list?: unknown) => {
    if (Array.isArray(list)) trailers = list as string[];
  });
  const incoming = readHead(method, path, raw, stream.session?.socket.remoteAddress ?? "");
  const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
  serve(
    shared,
    { ...incoming, upgrade: undefined },
    {
      listener,
      reply: new Http2Reply(stream),
      overH2: true,
      body: ended ? undefined : stream,
      trailers: () => trailers,
    },
  );
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

  inform(status: number, headers: readonly string[]): void {
    if (this.gone || this.stream.headersSent) return;
    this.guarded(() => this.stream.additionalHeaders({ ":status": status, ...pairsToObject(headers) }));
  }

  begin(head: ReplyHead): void {
    if (this.gone) return;
    const headers = pairsToObject(head.headers);
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

  /** Node refuses some fields that HTTP/1.1 may carry, doubled ones above all: such an answer is a broken one. */
  private guarded(send: () => void): void {
    try {
      send();
    } catch {
      this.abort();
    }
  }

  write(chunk: Buffer): boolean {
    return this.gone ? true : this.stream.write(chunk);
  }

  end(last: Buffer | undefined, trailers: readonly string[]): void {
    if (this.answered) {
      // The client may still be sending what the answer made pointless.
      if (!this.stream.readableEnded) this.stream.close(constants.NGHTTP2_NO_ERROR);
      return;
    }
    this.answered = true;
    if (this.gone) return;
    this.trailers = trailers;
    if (last === undefined) this.stream.end();
    else this.stream.end(last);
  }

  abort(): void {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}
