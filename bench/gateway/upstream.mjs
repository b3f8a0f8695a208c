// The model's stand-in: reads a request to its end, answers with 112 bytes. As little work as Node allows. A path that
// begins with /stream is answered with events, one every 5 ms; the last port speaks gRPC over HTTP/2 without TLS.
import { createServer as createH2 } from "node:http2";
import { createServer } from "node:net";

const body = JSON.stringify({
  model_name: "iris",
  outputs: [{ name: "out", shape: [1], datatype: "INT64", data: [1] }],
  pad: "x".repeat(13),
});
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const event = `data: ${"t".repeat(52)}\n\n`;
const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
const events = 200;
const everyMs = 5;

function stream(socket) {
  socket.write(
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    "latin1",
  );
  let left = events;
  const timer = setInterval(() => {
    left -= 1;
    if (left >= 0) socket.write(chunk, "latin1");
    else {
      clearInterval(timer);
      socket.write("0\r\n\r\n", "latin1");
    }
  }, everyMs);
  socket.once("close", () => clearInterval(timer));
}

const serve = (socket) => {
  socket.setNoDelay(true);
  let left = -1;
  let held = "";
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    if (left > 0) {
      left -= bytes.length;
      if (left <= 0) {
        left = -1;
        socket.write(answer, "latin1");
      }
      return;
    }
    held += bytes.latin1Slice();
    const end = held.indexOf("\r\n\r\n");
    if (end < 0) return;
    const at = held.search(/content-length: */i);
    const length = at < 0 || at > end ? 0 : Number.parseInt(held.slice(at + 15, end), 10);
    left = end + 4 + length - held.length;
    const streams = held.startsWith("GET /stream");
    held = "";
    if (left > 0) return;
    left = -1;
    if (streams) stream(socket);
    else socket.write(answer, "latin1");
  });
};

const message = Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), Buffer.from(body)]);
const grpc = createH2({ settings: { maxConcurrentStreams: 1000 } });
grpc.on("sessionError", () => {});
grpc.on("stream", (stream) => {
  stream.on("error", () => {});
  stream.resume();
  stream.on("end", () => {
    if (stream.destroyed) return;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(message);
  });
});

// One port for each pod, as each pod has its own.
const ports = process.argv.slice(2);
const grpcPort = ports.pop();
let missing = ports.length + 1;
const listening = () => {
  missing -= 1;
  if (missing === 0) process.stdout.write("ready\n");
};
for (const port of ports) createServer(serve).listen(Number(port), "127.0.0.1", listening);
grpc.listen(Number(grpcPort), "127.0.0.1", listening);
