// A server as users write them: it listens on PORT, answers in JSON, and leaves when it is asked to.
import { createServer } from "node:http";

const server = createServer((_request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({ language: "node", revision: process.env.K_REVISION, said: process.env.SAID }),
  );
});
server.listen(process.env.PORT, () => console.log("node is up"));
process.once("SIGTERM", () => process.exit(0));
