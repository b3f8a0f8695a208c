// The model's stand-in: reads a request to its end, answers with 112 bytes. As little work as Node allows.
import { createServer } from "node:net";

const body = JSON.stringify({
  model_name: "iris",
  outputs: [{ name: "out", shape: [1], datatype: "INT64", data: [1] }],
  pad: "x".repeat(13),
});
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

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
    held = "";
    if (left > 0) return;
    left = -1;
    socket.write(answer, "latin1");
  });
};

// One port for each pod, as each pod has its own.
let missing = process.argv.length - 2;
for (const port of process.argv.slice(2)) {
  createServer(serve).listen(Number(port), "127.0.0.1", () => {
    missing -= 1;
    if (missing === 0) process.stdout.write("ready\n");
  });
}
