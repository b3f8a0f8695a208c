// Keep-alive load on one address: CONNECTIONS each ask, wait for the whole answer and ask again for MS.
import { connect } from "node:net";

const [port, connections, ms, bodyBytes] = process.argv.slice(2).map(Number);
const request = Buffer.from(
  `POST /v2/models/iris/infer HTTP/1.1\r\nHost: iris.default.example.com\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: ${bodyBytes}\r\n\r\n${"x".repeat(bodyBytes)}`,
);
const latencies = [];
let failures = 0;
let measuring = false;
let over = false;

const sockets = Array.from({ length: connections }, () => {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let sentMs = 0;
  let need = -1;
  let have = 0;
  const ask = () => {
    if (over) return;
    sentMs = performance.now();
    need = -1;
    have = 0;
    socket.write(request);
  };
  socket.on("connect", ask);
  socket.on("error", () => {
    failures += 1;
  });
  socket.on("data", (bytes) => {
    have += bytes.length;
    if (need < 0) {
      const head = bytes.latin1Slice(0, Math.min(bytes.length, 2048));
      const length = /content-length: *(\d+)/i.exec(head);
      if (!head.startsWith("HTTP/1.1 200") || length === null) {
        failures += 1;
        process.stderr.write(`${head}\n`);
        socket.destroy();
        return;
      }
      need = head.indexOf("\r\n\r\n") + 4 + Number(length[1]);
    }
    if (have < need) return;
    if (measuring) latencies.push(performance.now() - sentMs);
    ask();
  });
  return socket;
});

await new Promise((resolve) => setTimeout(resolve, ms * 0.3));
process.stdout.write("begin\n");
await new Promise((resolve) => setTimeout(resolve, 50));
measuring = true;
const began = performance.now();
await new Promise((resolve) => setTimeout(resolve, ms));
measuring = false;
const tookMs = performance.now() - began;
over = true;
latencies.sort((one, other) => one - other);
const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
process.stdout.write(
  `${JSON.stringify({ count: latencies.length, tookMs, failures, p50: at(0.5), p99: at(0.99) })}\n`,
);
for (const socket of sockets) socket.destroy();
