// Runs one tool to its end and keeps the tail of what it said.

import { spawn } from "node:child_process";
import { outputTailBytes } from "./limits.js";

export interface Ran {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Set when the tool never started, or was stopped. */
  readonly trouble: string | undefined;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
}

export type Exec = (command: string, args: readonly string[], options: RunOptions) => Promise<Ran>;

export const exec: Exec = (command, args, options) =>
  new Promise((resolve) => {
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: (options.env ?? process.env) as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own: pip and npm start helpers, and stopping one must stop all.
      detached: true,
    });
    const tail = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        tail[name] = (tail[name] + text).slice(-outputTailBytes);
      });
    }
    const stop = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // Already gone.
      }
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    child.once("error", (error) => resolve({ code: undefined, ...tail, trouble: error.message }));
    child.once("close", (code, killedBy) => {
      signal.removeEventListener("abort", stop);
      const stopped = timeout.aborted ? `took longer than ${options.timeoutMs / 1000} s` : "was stopped";
      const trouble = killedBy === null ? undefined : signal.aborted ? stopped : `was killed by ${killedBy}`;
      resolve({ code: code ?? undefined, ...tail, trouble });
    });
  });
