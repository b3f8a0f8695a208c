// One container as a process group: its output, its end, and commands beside it.
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type {
  Clock,
  ContainerExit,
  ContainerSpec,
  ExecSession,
  RunningContainer,
  SandboxExec,
} from "../../ports/index.js";
import { lastWordsMs } from "./limits.js";
import type { Meter } from "./meter.js";
import { signalGroup } from "./signals.js";

export interface ContainerParts {
  readonly spec: ContainerSpec;
  readonly child: ChildProcess;
  /** CPU time that went into its process before it was this container's. */
  readonly cpuMsBefore: number;
  /** Undefined is now. */
  readonly startedAtMs?: number | undefined;
  /** Resolves when it says that it is about to end with an exit code; it may end without saying so. */
  readonly saidExit?: Promise<number> | undefined;
  readonly clock: Clock;
  readonly meter: Meter;
  /** Starts a command in the container's surroundings, recorded under its own name. */
  readonly spawnBeside: (
    options: SandboxExec,
    name: string,
  ) => Promise<{ child: ChildProcess; forget: () => Promise<void> }>;
  /** Ends what left the group, then forgets the record. Nobody waits for it: the group itself is gone. */
  readonly clearAway: () => void;
}

export function runContainer({
  spec,
  child,
  cpuMsBefore,
  startedAtMs: toldMs,
  saidExit,
  clock,
  meter,
  spawnBeside,
  clearAway,
}: ContainerParts): RunningContainer {
  const group = child.pid!;
  const startedAtMs = toldMs ?? clock.now();
  const beside = new Set<number>();
  let isOver = false;
  let oomKilled = false;
  let cancelKill: (() => void) | undefined;
  let killAtMs = Number.POSITIVE_INFINITY;
  let execs = 0;

  const kill = () => {
    if (isOver) return;
    signalGroup(group, "SIGKILL");
  };
  const reading = meter.watch({
    group,
    limitBytes: spec.memoryLimitBytes,
    cpuMsBefore,
    onOverLimit() {
      if (isOver) return;
      oomKilled = true;
      kill();
    },
  });

  const heard = [listen(child.stdout!, "stdout", spec), listen(child.stderr!, "stderr", spec)];
  const exited = new Promise<ContainerExit>((resolve) => {
    child.once("exit", (code, signalName) => {
      void over(code, signalName);
      clearAway();
    });
    void saidExit?.then((code) => over(code, null));

    async function over(code: number | null, signalName: NodeJS.Signals | null): Promise<void> {
      if (isOver) return;
      const finishedAtMs = clock.now();
      // The group is named by a pid that is free for reuse once the group is empty: never signalled after this line.
      signalGroup(group, "SIGKILL");
      isOver = true;
      cancelKill?.();
      reading.end();
      for (const leader of beside) signalGroup(leader, "SIGKILL");
      await lastWords(child, heard);
      const signal = signalName === null ? undefined : constants.signals[signalName];
      const exitCode = signal === undefined ? (code ?? 0) : 128 + signal;
      resolve({
        exitCode,
        signal,
        oomKilled: oomKilled && signal === constants.signals.SIGKILL,
        startedAtMs,
        finishedAtMs,
      });
    }
  });

  return {
    id: spec.id,
    startedAtMs,
    exited,
    stop(graceMs) {
      const at = clock.now() + graceMs;
      if (isOver || at >= killAtMs) return exited;
      if (killAtMs === Number.POSITIVE_INFINITY && graceMs > 0) signalGroup(group, "SIGTERM");
      killAtMs = at;
      cancelKill?.();
      if (graceMs <= 0) kill();
      else cancelKill = clock.after(graceMs, kill);
      return exited;
    },
    kill() {
      kill();
      return exited;
    },
    async exec(options) {
      execs += 1;
      const { child: command, forget } = await spawnBeside(options, `${spec.id}-exec-${execs}`);
      const leader = command.pid!;
      beside.add(leader);
      if (isOver) signalGroup(leader, "SIGKILL");
      return execSession(command, options, async () => {
        beside.delete(leader);
        await forget();
      });
    },
    usage: () => reading.usage(),
  };
}

function execSession(child: ChildProcess, options: SandboxExec, onEnd: () => Promise<void>): ExecSession {
  const leader = child.pid!;
  let isOver = false;
  child.stdin?.on("error", () => {}); // the command may end before it has read everything
  if (options.tty) {
    child.stdout!.unshift(
      "drydock: this container is a plain process without a terminal; going on with pipes\r\n",
    );
  }
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const exited = new Promise<number>((resolve) => {
    child.once("exit", async (code, signal) => {
      signalGroup(leader, "SIGKILL");
      isOver = true;
      await onEnd();
      // Output before the exit code, unless its reader is slow: then they meet at the end of the stream.
      await Promise.race([closed, new Promise((late) => setTimeout(late, lastWordsMs).unref())]);
      resolve(signal === null ? (code ?? 0) : 128 + constants.signals[signal]);
    });
  });
  return {
    stdin: child.stdin ?? undefined,
    stdout: child.stdout!,
    stderr: child.stderr!,
    exited,
    resize() {},
    kill() {
      if (!isOver) signalGroup(leader, "SIGKILL");
    },
  };
}

/** Passes output on, and stops reading while the listener is busy. Settles when the stream has ended and all was heard. */
function listen(stream: Readable, name: "stdout" | "stderr", spec: ContainerSpec): Promise<void> {
  return new Promise((resolve) => {
    let busy: Promise<void> = Promise.resolve();
    stream.on("data", (chunk: Uint8Array) => {
      const later = spec.onOutput(name, chunk);
      if (later === undefined) return;
      stream.pause();
      busy = later.then(
        () => void stream.resume(),
        () => void stream.resume(),
      );
    });
    stream.once("close", () => busy.then(resolve));
    stream.on("error", () => {});
  });
}

/** Somebody outside the group may still hold the output open; after a moment it is closed over their heads. */
async function lastWords(child: ChildProcess, heard: readonly Promise<void>[]): Promise<void> {
  const cutOff = setTimeout(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, lastWordsMs);
  await Promise.all(heard);
  clearTimeout(cutOff);
}
