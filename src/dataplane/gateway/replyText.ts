// How an answer is written in HTTP/1.1: its first line, its framing, and the gateway's own words below all routes.
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ReplyHead } from "../proxy/index.js";

/** Without the empty line, so that framing can follow. */
export function headText(head: ReplyHead): string {
  if (head.status === 200 && head.reason === "OK") return `HTTP/1.1 200 OK\r\n${head.lines}`;
  return `HTTP/1.1 ${head.status} ${head.reason || (STATUS_CODES[head.status] ?? "")}\r\n${head.lines}`;
}

/** An answer to what is no request, and the end of the connection. */
export function refusalText(status: number, message: string): string {
  const body = `${JSON.stringify({ error: message })}\n`;
  const type = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  return `${line}connection: close\r\n${type}x-drydock-reason: BadRequest\r\n\r\n${body}`;
}

export const notClean = (because: string) => `gateway: the request is not clean HTTP: ${because}`;

export function refuse(socket: Socket, status: number, message: string): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  socket.end(refusalText(status, message), () => socket.destroy());
}
