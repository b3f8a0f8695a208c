// port-forward: bytes between a client's sockets and a pod's port, over SPDY streams or WebSocket channels.
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { badRequest } from "../status.js";
import { type SpdyStream, spdySession } from "./spdy.js";

export type Dial = (port: number) => Promise<Duplex>;

/** Two streams a connection: data, and one for the reason it failed. */
export function serveForwardOverSpdy(transport: Duplex, dial: Dial): void {
  const waiting = new Map<string, Map<string, SpdyStream>>();
  spdySession(transport, (stream) => {
    stream.on("error", () => {});
    const id = stream.headers.get("requestid") ?? "";
    const pair = waiting.get(id) ?? new Map<string, SpdyStream>();
    waiting.set(id, pair);
    pair.set(stream.headers.get("streamtype") ?? "", stream);
    const [data, error] = [pair.get("data"), pair.get("error")];
    if (data === undefined || error === undefined) return;
    waiting.delete(id);
    void join(data, error, Number(stream.headers.get("port")), dial);
  });
}

async function join(data: SpdyStream, error: SpdyStream, port: number, dial: Dial): Promise<void> {
  error.resume();
  let target: Duplex;
  try {
    target = await dial(port);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    error.end(`an error occurred forwarding ${port}: ${why}`);
    data.resume();
    data.end();
    return;
  }
  target.on("error", () => {
    target.destroy();
    data.end();
  });
  data.on("close", () => target.destroy());
  data.pipe(target);
  target.pipe(data);
  target.once("close", () => error.end());
}

/** The older form, without connections: each port is one pair of channels, opened at once. */
export function serveForwardOverWebSocket(socket: WebSocket, ports: readonly number[], dial: Dial): void {
  const targets: (Duplex | undefined)[] = [];
  socket.on("close", () => {
    for (const target of targets) target?.destroy();
  });
  socket.on("error", () => socket.terminate());
  const send = (channel: number, bytes: Buffer, sent?: () => void) =>
    socket.send(Buffer.concat([Buffer.of(channel), bytes]), sent);

  ports.forEach((port, i) => {
    const [dataChannel, errorChannel] = [2 * i, 2 * i + 1];
    const announced = Buffer.alloc(2);
    announced.writeUInt16LE(port);
    send(dataChannel, announced);
    send(errorChannel, announced);
    const early: Buffer[] = [];
    socket.on("message", (message: Buffer) => {
      if (message[0] !== dataChannel) return;
      const target = targets[i];
      const bytes = message.subarray(1);
      if (target === undefined) early.push(bytes);
      else if (target.writable && !target.write(bytes)) {
        socket.pause();
        target.once("drain", () => socket.resume());
      }
    });
    dial(port).then(
      (target) => {
        targets[i] = target;
        for (const bytes of early) target.write(bytes);
        target.on("data", (chunk: Buffer) => {
          target.pause();
          send(dataChannel, chunk, () => target.resume());
        });
        target.on("error", (error) =>
          send(errorChannel, Buffer.from(`error forwarding port ${port}: ${error.message}`)),
        );
        target.once("close", () => socket.close(1000));
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        send(errorChannel, Buffer.from(`an error occurred forwarding ${port}: ${why}`));
        socket.close(1000);
      },
    );
  });
}

export function portsOf(query: URLSearchParams): readonly number[] {
  const ports = query
    .getAll("ports")
    .flatMap((text) => text.split(","))
    .map(Number);
  if (ports.length === 0) throw badRequest('query parameter "ports" is required');
  const odd = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65535);
  if (odd !== undefined) throw badRequest(`unable to parse ${JSON.stringify(String(odd))} as a port`);
  return ports;
}
