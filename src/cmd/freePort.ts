// Which port to listen on: the one that was asked for or none; the usual one, or a free one when it is taken.
import { createServer } from "node:net";
import { CliError, type Say } from "../cli/index.js";

export async function choosePort(
  what: "api" | "gateway" | "gateway-tls",
  asked: number | undefined,
  usual: number,
  bind: string,
  say: Say,
): Promise<number> {
  const port = asked ?? usual;
  if (port === 0) return 0;
  const problem = await whyNot(port, bind);
  if (problem === undefined) return port;
  if (problem === "EADDRINUSE" && asked === undefined) {
    say(`note: port ${port} is taken, so the ${names[what]} has a free one (choose one with --${what}-port)`);
    return 0;
  }
  throw new CliError(explained(what, port, bind, problem));
}

const names = { api: "API", gateway: "gateway", "gateway-tls": "gateway's TLS" };

function explained(what: string, port: number, bind: string, problem: string): string {
  switch (problem) {
    case "EADDRINUSE":
      return `port ${port} on ${bind} is already in use. Choose another with --${what}-port, or 0 for a free one.`;
    case "EACCES":
      return `port ${port} needs more rights than you have. Choose one above 1023 with --${what}-port.`;
    case "EADDRNOTAVAIL":
      return `${bind} is not an address of this machine. Choose another with --bind.`;
    case "ENOTFOUND":
      return `${bind} is not an address. Choose another with --bind, such as 127.0.0.1 or 0.0.0.0.`;
    default:
      return `cannot listen on ${bind} port ${port}: ${problem}.`;
  }
}

function whyNot(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
