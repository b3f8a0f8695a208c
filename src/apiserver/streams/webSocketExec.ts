// exec and attach over a WebSocket: one byte of channel, then the bytes.
import type { WebSocket } from "ws";
import type { ExecSession } from "../../ports/index.js";
import { ended, exitStatus, feed, parseResize } from "./exec.js";

const stdinChannel = 0;
const stdoutChannel = 1;
const stderrChannel = 2;
const statusChannel = 3;
const resizeChannel = 4;
const closeChannel = 255;
const backlogBytes = 1024 * 1024;

export function serveExecOverWebSocket(socket: WebSocket, session: ExecSession): void {
  const stdin = feed(session.stdin);
  let over = false;

  const forward = (channel: number, stream: ExecSession["stdout"]) => {
    stream.on("data", (chunk: Buffer) => {
      if (over) return;
      socket.send(Buffer.concat([Buffer.of(channel), chunk]), () => {
        if (socket.bufferedAmount < backlogBytes) stream.resume();
      });
      // A terminal that scrolls slower than the command writes slows the command down.
      if (socket.bufferedAmount >= backlogBytes) stream.pause();
    });
    stream.on("error", () => {});
  };
  forward(stdoutChannel, session.stdout);
  forward(stderrChannel, session.stderr);

  socket.on("message", (data: Buffer) => {
    const payload = data.subarray(1);
    switch (data[0]) {
      case stdinChannel:
        if (stdin?.writable === true && payload.length > 0 && !stdin.write(payload)) {
          socket.pause();
          stdin.once("drain", () => socket.resume());
        }
        return;
      case resizeChannel: {
        const size = parseResize(payload.toString("utf8"));
        if (size !== undefined) session.resize(size.width, size.height);
        return;
      }
      case closeChannel:
        if (payload[0] === stdinChannel) stdin?.end();
        return;
    }
  });
  socket.on("close", () => {
    if (!over) session.kill();
    over = true;
  });
  socket.on("error", () => socket.terminate());

  void ended(session).then((code) => {
    if (over) return;
    over = true;
    socket.send(Buffer.concat([Buffer.of(statusChannel), Buffer.from(JSON.stringify(exitStatus(code)))]));
    socket.close(1000);
  });
}
