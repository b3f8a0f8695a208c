// The HTTP/1.1 front on node:http, kept beside our own: Node's parser reads the requests, ours checks them once more,
// and replies go back through Node.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Piece, type ReplyHead, RequestBody, streamSource, toPairs } from "../proxy/index.js";
import { Hop } from "./hop.js";
import type { Http1Front } from "./http1.js";
import { Incoming } from "./incoming.js";
import { headText, notClean, refuse } from "./replyText.js";
import { type Refusal, RequestReader } from "./requestHead.js";
import { type FrontReply, type Shared, serve } from "./serve.js";
import type { ListenerName } from "./table.js";
import { joinSockets } from "./tunnel.js";

export function nodeFront(shared: Shared, listener: ListenerName): Http1Front {
  const { limits } = shared;
  const reader = new RequestReader();
  const secured = new WeakSet<object>();
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    keepAliveTimeout: limits.keepAliveMs,
    // Told by us instead, in our words.
    requireHostHeader: false,
    // A body may take as long as its route allows: the proxy has that deadline, and one for silence.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5_000, Math.max(10, limits.headMs / 4)),
  });
  // Node would drop fields past a count without a word; the head's size bounds them well enough.
  server.maxHeadersCount = 0;
  const read = (request: IncomingMessage) => readMessage(reader, request, secured.has(request.socket));
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const incoming = read(request);
    // After a refusal the bytes that follow may be anything; what the parser made of them is not served.
    if (request.socket.writableEnded) return;
    if (!(incoming instanceof Incoming)) {
      shared.stats.answered("BadRequest");
      refuse(request.socket, incoming.status, notClean(incoming.because));
      return;
    }
    incoming.upgrade = undefined;
    serve(shared, incoming, {
      listener,
      reply: new NodeReply(shared, request, response, incoming),
      overH2: false,
      body: incoming.hasBody
        ? new RequestBody(
            streamSource(request, () => request.rawTrailers),
            incoming.contentLength,
            limits,
          )
        : undefined,
    });
  };
  server.on("request", answer);
  server.on("checkContinue", answer);
  server.on("checkExpectation", answer);
  server.on("upgrade", (request, socket, early) => {
    socket.on("error", () => socket.destroy());
    const incoming = read(request);
    if (!(incoming instanceof Incoming))
      refuse(socket as Socket, incoming.status, notClean(incoming.because));
    else if (incoming.upgrade === undefined) declineUpgrade(server, request, socket as Socket, early);
    else {
      const reply = new SocketReply(socket as Socket, early);
      serve(shared, incoming, { listener, reply, overH2: false, body: undefined });
    }
  });
  server.on("connect", (_request, socket) =>
    refuse(socket as Socket, 405, notClean("this is no forward proxy")),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const tooLong = error.code === "HPE_HEADER_OVERFLOW";
    const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    refuse(socket as Socket, tooLong ? 431 : late ? 408 : 400, notClean(error.code ?? error.message));
  });
  return {
    accept(socket, secure) {
      if (secure) secured.add(socket);
      server.emit("connection", socket);
      return socket;
    },
    drain: () => server.closeIdleConnections(),
    close: () => void server.close(),
  };
}

/** Node gives the parts; ours judges the whole as if it had come so. */
function readMessage(reader: RequestReader, request: IncomingMessage, secure: boolean): Incoming | Refusal {
  let head = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`;
  const raw = request.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) head += `${raw[index]}: ${raw[index + 1]}\r\n`;
  const bytes = Buffer.from(head, "latin1");
  return reader.read(
    bytes,
    0,
    bytes.length,
    new Hop(request.socket.remoteAddress ?? "", secure, request.socket.remotePort),
  );
}

class NodeReply implements FrontReply {
  onDrain: (() => void) | undefined;
  onGone: (() => void) | undefined;
  timing: (() => string) | undefined;
  gone = false;
  private listening = false;

  constructor(
    private readonly shared: Shared,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly incoming: Incoming,
  ) {
    response.on("close", () => {
      if (response.writableFinished) return;
      this.gone = true;
      this.onGone?.();
    });
  }

  inform(status: number, lines: string): void {
    if (this.gone || this.response.headersSent) return;
    if (status === 100) this.response.writeContinue();
    else if (status === 102) this.response.writeProcessing();
    else if (status === 103) this.hint(toPairs(lines));
  }

  private hint(headers: readonly string[]): void {
    const links: string[] = [];
    for (let index = 0; index + 1 < headers.length; index += 2) {
      if ((headers[index] as string).toLowerCase() === "link") links.push(headers[index + 1] as string);
    }
    try {
      if (links.length > 0) this.response.writeEarlyHints({ link: links });
    } catch {
      // Node is stricter about the value than we are; a hint is no loss.
    }
  }

  begin(head: ReplyHead): void {
    if (this.gone) return;
    const headers = toPairs(head.lines);
    if (this.timing !== undefined) headers.push("server-timing", this.timing());
    if (this.shared.draining || this.leavesBodyUnread()) headers.push("connection", "close");
    try {
      if (head.reason === "") this.response.writeHead(head.status, headers);
      else this.response.writeHead(head.status, head.reason, headers);
    } catch {
      // Node is stricter than our parser about some value: to the client that is a broken answer.
      this.abort();
    }
  }

  flush(): void {
    if (!this.gone) this.response.flushHeaders();
  }

  /** What is left of a body would be taken for the next request. Node reads away a small one nobody has begun. */
  private leavesBodyUnread(): boolean {
    const { incoming, request } = this;
    const length = incoming.chunked ? Number.POSITIVE_INFINITY : (incoming.contentLength ?? 0);
    if (request.complete || length === 0) return false;
    return length > this.shared.limits.gatherBytes || request.readableFlowing !== null;
  }

  write(chunk: Piece): boolean {
    if (this.gone) return true;
    const room = this.response.write(chunk, "latin1");
    if (!room && !this.listening) {
      this.listening = true;
      this.response.on("drain", () => this.onDrain?.());
    }
    return room;
  }

  end(last: Piece | undefined, trailers: readonly string[]): void {
    if (this.gone) return;
    if (trailers.length > 0) this.response.addTrailers(pairs(trailers));
    if (last === undefined) this.response.end();
    else this.response.end(last, "latin1");
  }

  abort(): void {
    this.gone = true;
    this.request.socket.destroy();
  }
}

function pairs(list: readonly string[]): [string, string][] {
  const made: [string, string][] = [];
  for (let index = 0; index + 1 < list.length; index += 2)
    made.push([list[index] as string, list[index + 1] as string]);
  return made;
}

/** A server may ignore any offer to upgrade (`h2c` by curl, say): the request is read again without the offer. */
function declineUpgrade(
  server: ReturnType<typeof createServer>,
  request: IncomingMessage,
  socket: Socket,
  early: Buffer,
): void {
  let head = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`;
  const raw = request.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const lower = (raw[index] as string).toLowerCase();
    if (lower === "upgrade" || lower === "connection" || lower === "http2-settings") continue;
    head += `${raw[index]}: ${raw[index + 1]}\r\n`;
  }
  if (early.length > 0) socket.unshift(early);
  socket.unshift(Buffer.from(`${head}\r\n`, "latin1"));
  server.emit("connection", socket);
}

/** Replies on the bare socket that node:http leaves after an upgrade request; it is closed when the answer ends. */
class SocketReply implements FrontReply {
  onDrain: (() => void) | undefined;
  onGone: (() => void) | undefined;
  timing: (() => string) | undefined;
  private chunked = false;

  constructor(
    private readonly socket: Socket,
    private readonly early: Buffer,
  ) {
    socket.on("drain", () => this.onDrain?.());
    socket.on("close", () => this.onGone?.());
  }

  get gone(): boolean {
    return this.socket.destroyed;
  }

  inform(): void {
    // Between the offer and the answer nothing is expected.
  }

  begin(head: ReplyHead): void {
    this.chunked = head.hasBody && head.length === undefined;
    const framing = this.chunked ? "Transfer-Encoding: chunked\r\n" : "";
    this.socket.write(`${headText(head)}${framing}Connection: close\r\n\r\n`, "latin1");
  }

  flush(): void {
    // Nothing was held back.
  }

  write(chunk: Piece): boolean {
    if (!this.chunked) return this.socket.write(chunk, "latin1");
    this.socket.write(`${chunk.length.toString(16)}\r\n`);
    this.socket.write(chunk, "latin1");
    return this.socket.write("\r\n");
  }

  end(last: Piece | undefined): void {
    if (last !== undefined && last.length > 0) this.write(last);
    this.socket.end(this.chunked ? "0\r\n\r\n" : "", () => this.socket.destroy());
  }

  abort(): void {
    this.socket.destroy();
  }

  switch(head: ReplyHead, upstream: Socket, early: Buffer, done: () => void): void {
    const { socket } = this;
    socket.setTimeout(0);
    socket.write(`${headText(head)}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, "latin1");
    if (early.length > 0) socket.write(early);
    if (this.early.length > 0) upstream.write(this.early);
    joinSockets(socket, upstream, done);
  }
}
