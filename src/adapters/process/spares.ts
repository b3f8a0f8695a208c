/**
 * Shells started ahead of time, each in a process group of its own, waiting to be told what to become. On Linux a
 * fork copies the page tables of all of Drydock, tens of milliseconds of a cold start; a spare paid for that earlier.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { spareRefillMs, spareShells } from "./limits.js";

export interface Spares {
  /** A shell that will run this script; undefined when none is waiting. */
  take(script: string): ChildProcess | undefined;
  close(): void;
}

// Nothing said and the pipe closed: Drydock is gone, or needs no spare any more.
const waitForScript = `script=
while IFS= read -r line <&3; do script="$script$line
"; done
[ -n "$script" ] || exit 0
exec 3<&-
eval "$script"`;

export function keepSpares(): Spares {
  const waiting = new Set<ChildProcess>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = process.platform !== "linux";

  function add(): void {
    const shell = spawn("/bin/sh", ["-c", waitForScript], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: {},
      cwd: "/",
    });
    // Whatever befalls a spare, the next start simply does without it.
    shell.on("error", () => waiting.delete(shell));
    shell.once("exit", () => waiting.delete(shell));
    scriptPipe(shell).on("error", () => waiting.delete(shell));
    if (shell.pid === undefined) return;
    waiting.add(shell);
    setReferenced(shell, false);
  }

  /** One at a time and a little later: the container just started is to be ready first. */
  function refill(): void {
    timer = undefined;
    if (isClosed || waiting.size >= spareShells) return;
    add();
    refillSoon();
  }

  function refillSoon(): void {
    if (!isClosed) timer ??= setTimeout(refill, spareRefillMs).unref();
  }

  if (!isClosed) add();
  refillSoon();

  return {
    take(script) {
      const [shell] = waiting;
      if (shell === undefined) return undefined;
      waiting.delete(shell);
      setReferenced(shell, true);
      scriptPipe(shell).end(script);
      refillSoon();
      return shell;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const shell of waiting) scriptPipe(shell).end();
      waiting.clear();
    },
  };
}

function scriptPipe(shell: ChildProcess): Writable {
  return shell.stdio[3] as Writable;
}

/** Whether it keeps this process alive. */
export function setReferenced(shell: ChildProcess, isReferenced: boolean): void {
  const verb = isReferenced ? "ref" : "unref";
  shell[verb]();
  for (const stream of shell.stdio)
    (stream as unknown as { ref?(): void; unref?(): void } | null)?.[verb]?.();
}
