// Fifty clients, each reading streams of events to their end, one after another, for as long as asked.
import { connect } from "node:net";

const { port, streams, ms } = JSON.parse(process.argv[2]);
const request = "GET /stream HTTP/1.1\r\nHost: iris.default.example.com\r\nAccept: text/event-stream\r\n\r\n";
let count = 0;
let broken = 0;
let measuring = false;

for (let index = 0; index < streams; index += 1) {
  const socket = connect(port, "127.0.0.1", () => socket.write(request));
  let tail = "";
  socket.on("data", (bytes) => {
    const text = bytes.toString("latin1");
    if (measuring)
      for (let at = text.indexOf("data: "); at >= 0; at = text.indexOf("data: ", at + 6)) count += 1;
    tail = (tail + text).slice(-5);
    if (tail === "0\r\n\r\n") socket.write(request);
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    broken += 1;
  });
}
await new Promise((resolve) => setTimeout(resolve, ms * 0.4));
process.stdout.write("begin\n");
measuring = true;
await new Promise((resolve) => setTimeout(resolve, ms));
measuring = false;
process.stdout.write(`${JSON.stringify({ count, answered: count, failures: broken })}\n`);
process.exit(0);
