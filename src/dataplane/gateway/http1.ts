// The HTTP/1.1 front: node:http reads and checks the requests, replies go back through it.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ReplyHead } from "../proxy/index.js";
import { type Incoming, readHead } from "./incoming.js";
import { type FrontReply, type Shared, serve } from "./serve.js";
import type { ListenerName } from "./table.js";

/** Up to here an answer is cheaper written as one string with its head than as two buffers. */
const oneWriteBytes = 4 * 1024;

export function serveHttp1(
  shared: Shared,
  listener: ListenerName,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const incoming = readHead(
    request.method ?? "",
    request.url ?? "",
    request.rawHeaders,
    request.socket.remoteAddress ?? "",
  );
  // After a refusal the bytes that follow may be anything; what the parser made of them is not served.
  if (request.socket.writableEnded) return;
  const bad = incoming.bad ?? (request.httpVersion === "1.1" && incoming.host === "" ? "no Host" : undefined);
  if (bad !== undefined) {
    shared.stats.answered("BadRequest");
    refuse(request.socket, "400 Bad Request", `the request is not clean HTTP: ${bad}`);
    return;
  }
  const hasBody = incoming.chunked || (incoming.contentLength ?? 0) > 0;
  serve(
    shared,
    { ...incoming, upgrade: undefined },
    {
      listener,
      reply: new Http1Reply(shared, request, response, incoming),
      overH2: false,
      body: hasBody ? request : undefined,
      trailers: () => request.rawTrailers,
    },
  );
}

/** An answer below HTTP's machinery, and the end of the connection. */
export function refuse(socket: Socket, status: string, message: string): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const body = `${JSON.stringify({ error: message })}\n`;
  const type = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\n${type}x-drydock-reason: BadRequest\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}

class Http1Reply implements FrontReply {
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

  inform(status: number, headers: readonly string[]): void {
    if (this.gone || this.response.headersSent) return;
    if (status === 100) this.response.writeContinue();
    else if (status === 102) this.response.writeProcessing();
    else if (status === 103) this.hint(headers);
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
    const headers = [...head.headers];
    if (this.timing !== undefined) headers.push("server-timing", this.timing());
    if (this.shared.draining || this.leavesBodyUnread()) headers.push("connection", "close");
    try {
      if (head.reason === "") this.response.writeHead(head.status, headers);
      else this.response.writeHead(head.status, head.reason, headers);
    } catch {
      // Node is stricter than our parser about some value: to the client that is a broken answer.
      this.abort();
      return;
    }
    // A body that streams may be long in coming; its head is news already.
    if (head.hasBody && head.length === undefined) this.response.flushHeaders();
  }

  /** What is left of a body would be taken for the next request. Node reads away a small one nobody has begun. */
  private leavesBodyUnread(): boolean {
    const { incoming, request } = this;
    const length = incoming.chunked ? Number.POSITIVE_INFINITY : (incoming.contentLength ?? 0);
    if (request.complete || length === 0) return false;
    return length > this.shared.limits.gatherBytes || request.readableFlowing !== null;
  }

  write(chunk: Buffer): boolean {
    if (this.gone) return true;
    const room = this.response.write(chunk);
    if (!room && !this.listening) {
      this.listening = true;
      this.response.on("drain", () => this.onDrain?.());
    }
    return room;
  }

  end(last: Buffer | undefined, trailers: readonly string[]): void {
    if (this.gone) return;
    if (trailers.length > 0) this.response.addTrailers(pairs(trailers));
    if (last === undefined) this.response.end();
    else if (last.length <= oneWriteBytes) this.response.end(last.toString("latin1"), "latin1");
    else this.response.end(last);
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
