// gRPC calls over HTTP/2 without TLS where there is no h2load: so many connections with so many calls each at a time.
import { connect } from "node:http2";

const { port, connections, calls, ms, body } = JSON.parse(process.argv[2]);
const message = Buffer.from(body, "latin1");
const latencies = [];
let answered = 0;
let failures = 0;
let measuring = false;
let over = false;

function call(session) {
  if (over) return;
  const began = performance.now();
  const stream = session.request({
    ":method": "POST",
    ":path": "/inference.GRPCInferenceService/ModelInfer",
    ":authority": "grpc.default.example.com",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status;
  stream.on("trailers", (headers) => {
    status = headers["grpc-status"];
  });
  stream.on("error", () => {});
  stream.on("close", () => {
    if (!over && status !== "0") failures += 1;
    answered += 1;
    if (measuring) latencies.push(performance.now() - began);
    call(session);
  });
  stream.resume();
  stream.end(message);
}

for (let index = 0; index < connections; index += 1) {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  for (let count = 0; count < calls; count += 1) call(session);
}
await new Promise((resolve) => setTimeout(resolve, ms * 0.5));
answered = 0;
process.stdout.write("begin\n");
measuring = true;
const began = performance.now();
await new Promise((resolve) => setTimeout(resolve, ms));
measuring = false;
over = true;
const tookMs = performance.now() - began;
latencies.sort((one, other) => one - other);
const p50 = latencies[Math.floor(latencies.length / 2)] ?? 0;
process.stdout.write(`${JSON.stringify({ count: latencies.length, answered, failures, tookMs, p50 })}\n`);
process.exit(0);
