// The parent's side of a detached start: waits until the instance serves, then leaves it alone.
import { spawn } from "node:child_process";
import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError, type Instance, type Say, type StartOptions } from "../cli/index.js";
import { filesOf } from "./instance.js";

export interface ToDetached {
  readonly home: string;
  readonly asked: StartOptions;
}

export type FromDetached =
  | { readonly type: "progress"; readonly line: string }
  | { readonly type: "ready"; readonly instance: Instance }
  | { readonly type: "failed"; readonly message: string };

export interface DetachOptions extends ToDetached {
  readonly say: Say;
  readonly signal: AbortSignal;
}

export async function startDetached({ home, asked, say, signal }: DetachOptions): Promise<Instance> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const { log } = filesOf(home);
  const file = await openLog(log);
  const from = (await file.stat()).size;
  const program = fileURLToPath(new URL("./detached.js", import.meta.url));
  const child = spawn(process.execPath, [program], {
    cwd: home,
    detached: true,
    stdio: ["ignore", file.fd, file.fd, "ipc"],
  });
  await file.close();
  const abort = (): void => {
    child.kill("SIGTERM");
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await new Promise<Instance>((resolve, reject) => {
      child.on("error", (cause) =>
        reject(new CliError(`the server cannot start: ${cause.message}`, 1, { cause })),
      );
      child.on("message", (message: FromDetached) => {
        if (message.type === "progress") say(message.line);
        if (message.type === "ready") resolve(message.instance);
        if (message.type === "failed") reject(new CliError(message.message));
      });
      child.on("exit", (code, ending) => {
        const how = ending ?? `exit code ${code}`;
        void lastLine(log, from).then((line) =>
          reject(new CliError(`the server ended (${how}) before it was ready: ${line}. See ${log}`)),
        );
      });
      child.send({ home, asked } satisfies ToDetached);
    });
  } finally {
    signal.removeEventListener("abort", abort);
    child.removeAllListeners("exit");
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** A log is kept once more when it has grown past this; what is older goes. */
const maxLogBytes = 10_000_000;

export async function openLog(path: string) {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > maxLogBytes) await rename(path, `${path}.1`);
  return open(path, "a", 0o600);
}

async function lastLine(path: string, from: number): Promise<string> {
  const text = (await readFile(path)).subarray(from).toString("utf8").trim();
  // A crash ends with Node's version; what was wrong stands above it.
  const lines = text.split("\n").filter((line) => !/^(Node\.js v|\s+at |\s*$)/.test(line));
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "it said nothing";
}
