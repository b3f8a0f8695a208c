// Requests that want another protocol: WebSockets become two sockets joined byte by byte.
import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ReplyHead } from "../proxy/index.js";
import { type Incoming, readHead } from "./incoming.js";
import { type FrontReply, type Shared, serve } from "./serve.js";
import type { ListenerName } from "./table.js";

export function serveUpgrade(
  shared: Shared,
  listener: ListenerName,
  server: Server,
  request: IncomingMessage,
  socket: Socket,
  early: Buffer,
): void {
  socket.on("error", () => socket.destroy());
  const incoming = readHead(
    request.method ?? "",
    request.url ?? "",
    request.rawHeaders,
    socket.remoteAddress ?? "",
  );
  if (incoming.upgrade?.toLowerCase() !== "websocket") {
    declineUpgrade(server, request, socket, early);
    return;
  }
  const withBody = incoming.chunked || (incoming.contentLength ?? 0) > 0;
  const checked: Incoming = withBody
    ? { ...incoming, target: undefined, bad: "an upgrade with a body" }
    : incoming;
  const reply = new SocketReply(socket, early);
  serve(shared, checked, { listener, reply, overH2: false, body: undefined, trailers: () => [] });
}

/** A server may ignore any offer to upgrade (`h2c` by curl, say): the request is read again without the offer. */
function declineUpgrade(server: Server, request: IncomingMessage, socket: Socket, early: Buffer): void {
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

  write(chunk: Buffer): boolean {
    if (!this.chunked) return this.socket.write(chunk);
    this.socket.write(`${chunk.length.toString(16)}\r\n`);
    this.socket.write(chunk);
    return this.socket.write("\r\n");
  }

  end(last: Buffer | undefined): void {
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
    join(socket, upstream);
    join(upstream, socket);
    const over = () => {
      socket.destroy();
      upstream.destroy();
      done();
    };
    socket.once("close", over);
    upstream.once("close", over);
  }
}

/** Bytes one way, no faster than they are taken. */
function join(from: Socket, to: Socket): void {
  from.on("data", (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.resume();
}

function headText(head: ReplyHead): string {
  let text = `HTTP/1.1 ${head.status} ${head.reason || (STATUS_CODES[head.status] ?? "")}\r\n`;
  for (let index = 0; index + 1 < head.headers.length; index += 2) {
    text += `${head.headers[index]}: ${head.headers[index + 1]}\r\n`;
  }
  return text;
}
