/**
 * A model under test: answers after a moment, streams events, echoes over WebSockets, and speaks gRPC's framing over
 * HTTP/2. Told to take one request at a time, it fails loudly when it ever has two. Told to end, it finishes what it has.
 */
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { WebSocketServer } from "ws";

const port = Number(process.env.PORT);
const workMs = Number(process.env.WORK_MS ?? 5);
const atOnce = Number(process.env.AT_ONCE ?? 0);
const events = 5;
const eventMs = 20;

let running = 0;
let overlapped = false;
let ending = false;

/** The work itself; the overlap is for good, so that no later answer hides it. */
async function work() {
  running += 1;
  if (atOnce > 0 && running > atOnce) overlapped = true;
  await new Promise((resolve) => setTimeout(resolve, workMs));
  running -= 1;
  return overlapped;
}

function serveHttp1() {
  const server = createServer(async (request, response) => {
    response.setHeader("x-pid", process.pid);
    if (request.url === "/health") return response.end("ok");
    if (request.url === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let count = 1; count <= events; count += 1) {
        await new Promise((resolve) => setTimeout(resolve, eventMs));
        response.write(`data: ${count}\n\n`);
      }
      return response.end("data: end\n\n");
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const failed = await work();
    response.statusCode = failed ? 555 : 200;
    return response.end(failed ? "two at once" : Buffer.concat(chunks));
  });
  server.keepAliveTimeout = 120_000;
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.on("message", (data) => socket.send(String(data)));
  });
  server.listen(port, "127.0.0.1");
  return () => {
    for (const socket of sockets.clients) socket.close(1001, "going away");
    server.close(() => process.exit(0));
    // Answered connections are idle from now on.
    setInterval(() => server.closeIdleConnections(), 20);
  };
}

function serveGrpc() {
  const sessions = new Set();
  const server = createHttp2Server();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => {});
  });
  server.on("stream", async (stream, headers) => {
    stream.on("error", () => {});
    if (headers[":path"] === "/health") {
      stream.respond({ ":status": 200 });
      stream.end("ok");
      return;
    }
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    await work();
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "x-pid": String(process.pid) },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat(chunks));
  });
  server.listen(port, "127.0.0.1");
  return () => {
    for (const session of sessions) session.close();
    server.close(() => process.exit(0));
  };
}

const end = process.env.SPEAKS === "grpc" ? serveGrpc() : serveHttp1();
process.on("SIGTERM", () => {
  if (ending) return;
  ending = true;
  end();
});
