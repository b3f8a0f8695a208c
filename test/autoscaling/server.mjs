// A model that takes a tenth of a second unless told otherwise, and refuses more at once than it was promised.
import { createServer } from "node:http";

const most = Number(process.env.MOST_AT_ONCE ?? "0");
const workMs = Number(process.env.WORK_MS ?? "100");
let inside = 0;
const server = createServer((request, response) => {
  if (request.url === "/healthz") {
    response.end("ok");
    return;
  }
  inside += 1;
  const tooMany = most > 0 && inside > most;
  setTimeout(
    () => {
      inside -= 1;
      response.writeHead(tooMany ? 500 : 200, { "x-pid": process.pid });
      response.end(tooMany ? "more at once than promised" : (process.env.SAYS ?? "slept"));
    },
    tooMany ? 0 : workMs,
  );
});
server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => server.close(() => process.exit(0)));
