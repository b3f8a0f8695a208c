// Keep-alive load on one address: CONNECTIONS each ask, wait for the whole answer and ask again for MS.
// In path and body, %C is the connection's number and %N counts its requests, both of fixed width.
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

const job = JSON.parse(process.argv[2]);
const { port, connections, ms, method = "POST", path, body, headers = {}, ca } = job;
const made = (text, connection, count) =>
  text.replaceAll("%C", String(connection).padStart(4, "0")).replaceAll("%N", String(count).padStart(9, "0"));
const heads = Object.entries({
  Host: `127.0.0.1:${port}`,
  "User-Agent": "bench/1.0",
  Accept: "*/*",
  "Content-Type": "application/json",
  ...headers,
})
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join("");
const varies = /%[CN]/.test(path + body);
const bodyBytes = Buffer.byteLength(made(body, 0, 0));
const whole = (connection, count) =>
  Buffer.from(
    `${method} ${made(path, connection, count)} HTTP/1.1\r\n${heads}Content-Length: ${bodyBytes}\r\n\r\n${made(body, connection, count)}`,
  );
const fixed = whole(0, 0);

const latencies = [];
let failures = 0;
let example = "";
let answered = 0;
let joined = 0;
let measuring = false;
let over = false;

const sockets = Array.from({ length: connections }, (_, connection) => {
  const address = { port, host: "127.0.0.1", noDelay: true };
  const socket =
    ca === undefined ? connect(address) : connectTls({ ...address, ca, servername: "localhost" });
  let count = 0;
  let sentMs = 0;
  let need = -1;
  let have = 0;
  const ask = () => {
    if (over) return;
    count += 1;
    const request = varies ? whole(connection, count) : fixed;
    sentMs = performance.now();
    need = -1;
    have = 0;
    socket.write(request);
  };
  const fail = (why) => {
    if (over) return;
    failures += 1;
    example ||= why;
    socket.destroy();
  };
  socket.on(ca === undefined ? "connect" : "secureConnect", ask);
  socket.on("error", (error) => fail(error.message));
  socket.on("close", () => fail("the connection was closed"));
  socket.on("data", (bytes) => {
    have += bytes.length;
    if (need < 0) {
      const head = bytes.latin1Slice(0, Math.min(bytes.length, 4096));
      const length = /content-length: *(\d+)/i.exec(head);
      if (!/^HTTP\/1.1 20[01]/.test(head) || length === null) return fail(head.slice(0, 400));
      need = head.indexOf("\r\n\r\n") + 4 + Number(length[1]);
    }
    if (have < need) return;
    answered += 1;
    if (count === 1) joined += 1;
    if (measuring) latencies.push(performance.now() - sentMs);
    ask();
  });
  return socket;
});

// Handshakes are not what is measured: all must have had an answer, then some time to warm.
const giveUpMs = performance.now() + 30_000;
while (joined < connections && failures === 0 && performance.now() < giveUpMs)
  await new Promise((resolve) => setTimeout(resolve, 20));
await new Promise((resolve) => setTimeout(resolve, ms * 0.3));
// From "begin" to the result the caller counts CPU, and that is divided by what was answered meanwhile.
answered = 0;
process.stdout.write("begin\n");
await new Promise((resolve) => setTimeout(resolve, 50));
measuring = true;
const began = performance.now();
await new Promise((resolve) => setTimeout(resolve, ms));
measuring = false;
const tookMs = performance.now() - began;
over = true;
latencies.sort((one, other) => one - other);
const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
process.stdout.write(
  `${JSON.stringify({ count: latencies.length, answered, tookMs, failures, example, p50: at(0.5), p99: at(0.99) })}\n`,
);
for (const socket of sockets) socket.destroy();
