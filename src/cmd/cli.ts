/**
 * The command line's composition root: hands the commands their terminal, their home and their way to the world.
 * What only some commands need is loaded by them alone: `drydock get` should not wait for a server's code.
 */
import { createWriteStream } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../adapters/clock/index.js";
import { silentLog, streamLog } from "../adapters/log/index.js";
import { CliError, type Context, type RuntimeInstaller, runCli, type Terminal } from "../cli/index.js";
import { filesOf, makeInstances } from "./instance.js";
import { version } from "./version.js";

const { env } = process;
const home = env["DRYDOCK_HOME"] ? resolve(env["DRYDOCK_HOME"]) : join(homedir(), ".drydock");
const clock = systemClock();
const stopping = new AbortController();
const interrupted = 130;
const usualColumns = 100;
// Timers of the clock keep nothing alive, and a command that only waits must not be taken for a finished one.
setInterval(() => {}, 2 ** 30);

process.on("SIGTERM", () => stopping.abort());
process.on("SIGHUP", () => stopping.abort());
process.on("SIGINT", () => {
  // Whoever asks twice means now; processes we started end with us.
  if (stopping.signal.aborted) process.exit(interrupted);
  stopping.abort();
});
// `drydock get ... | head` ends when head has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
});

const context: Context = {
  terminal: systemTerminal(),
  clock,
  version,
  env,
  cwd: process.cwd(),
  userHome: homedir(),
  examples: fileURLToPath(new URL("../../examples", import.meta.url)),
  signal: stopping.signal,
  instances: makeInstances({
    home,
    clock,
    signal: stopping.signal,
    openLog: async () => {
      const { openLog } = await import("./startDetached.js");
      await (await openLog(filesOf(home).log)).close();
      return streamLog(createWriteStream(filesOf(home).log, { flags: "a", mode: 0o600 }));
    },
    privateLog: async () => (env["DRYDOCK_DEBUG"] === "1" ? streamLog(process.stderr) : silentLog),
  }),
  callModel: async (request) => (await import("../adapters/apiHttp/index.js")).callGateway(request),
  runtimes: installer,
  tools: async () => (await import("./tools.js")).findTools(env),
};

const code = await runCli(process.argv.slice(2), context);
// What was written must be out before the end; sockets and timers that are still open must not delay it.
process.stdout.write("", () => process.exit(code));

async function installer(): Promise<RuntimeInstaller> {
  const { runtimes, InstallError } = await import("../adapters/runtimes/index.js");
  const here = runtimes({ home });
  return {
    names: ["onnx", "sklearn"],
    list: () => here.list(),
    async install(name, { from, signal, onProgress }) {
      try {
        await here.install(name as "onnx" | "sklearn", {
          ...(from !== undefined && { from }),
          signal,
          onProgress,
        });
      } catch (error) {
        if (error instanceof InstallError) throw new CliError(error.message, 1, { cause: error });
        throw error;
      }
    },
  };
}

function systemTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  const colors = (isTty: boolean): boolean =>
    !env["NO_COLOR"] && (env["FORCE_COLOR"] ? env["FORCE_COLOR"] !== "0" : isTty && env["TERM"] !== "dumb");
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    pipe: (chunk) =>
      new Promise((done) => {
        if (stdout.write(chunk)) done();
        else stdout.once("drain", done);
      }),
    async readStdin() {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString("utf8");
    },
    outIsTty: stdout.isTTY === true,
    errIsTty: stderr.isTTY === true,
    get columns() {
      return stdout.columns ?? stderr.columns ?? usualColumns;
    },
    outColors: colors(stdout.isTTY === true),
    errColors: colors(stderr.isTTY === true),
  };
}
