// exec and attach over SPDY, for clients from before WebSockets: a stream for each of stdin, stdout, stderr, error.
import type { Duplex } from "node:stream";
import type { ExecSession } from "../../ports/index.js";
import { type ExecWishes, ended, exitStatus, feed, parseResize } from "./exec.js";
import { type SpdyStream, spdySession } from "./spdy.js";

export function serveExecOverSpdy(transport: Duplex, session: ExecSession, wishes: ExecWishes): void {
  const wanted = ["error", ...(["stdin", "stdout", "stderr"] as const).filter((name) => wishes[name])];
  const streams = new Map<string, SpdyStream>();
  let started = false;
  let over = false;

  const spdy = spdySession(transport, (stream) => {
    const type = stream.headers.get("streamtype") ?? "";
    stream.on("error", () => {});
    streams.set(type, stream);
    if (type === "resize") listenToResize(stream, session);
    if (!started && wanted.every((name) => streams.has(name))) {
      started = true;
      start();
    }
  });

  function start(): void {
    const stdin = feed(session.stdin);
    if (stdin !== undefined) streams.get("stdin")?.pipe(stdin);
    const [stdout, stderr, error] = ["stdout", "stderr", "error"].map((name) => streams.get(name));
    if (stdout === undefined) session.stdout.resume();
    else session.stdout.pipe(stdout);
    if (stderr === undefined) session.stderr.resume();
    else session.stderr.pipe(stderr);
    error?.resume();
    void ended(session).then(async (code) => {
      over = true;
      // What was said leaves before the word that nothing follows.
      await Promise.all([stdout, stderr].map(finish));
      error?.write(JSON.stringify(exitStatus(code)));
      await finish(error);
      spdy.close();
    });
  }

  void spdy.closed.then(() => {
    if (!over) session.kill();
  });
}

function finish(stream: SpdyStream | undefined): Promise<void> {
  if (stream === undefined || stream.destroyed || stream.writableFinished) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("finish", resolve);
    stream.once("close", resolve);
    stream.end();
  });
}

function listenToResize(stream: SpdyStream, session: ExecSession): void {
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
    // One JSON object after another, usually a line each.
    const end = text.lastIndexOf("}");
    if (end < 0) return;
    const size = parseResize(text.slice(text.lastIndexOf("{", end), end + 1));
    text = text.slice(end + 1);
    if (size !== undefined) session.resize(size.width, size.height);
  });
}
