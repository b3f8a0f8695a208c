// One container of an engine: its output, its end, commands beside it, and what is known while the engine is away.
import type { Duplex, Readable } from "node:stream";
import {
  type Clock,
  type ContainerExit,
  type ContainerSpec,
  isPortError,
  PortError,
  type RunningContainer,
} from "../../ports/index.js";
import type { EngineApi } from "./api.js";
import { demuxer } from "./demux.js";
import { execBeside } from "./exec.js";
import {
  atOnceMs,
  awayFirstMs,
  awayMaxMs,
  awayToldMs,
  endingLookMs,
  lastWordsMs,
  lookAgainMs,
} from "./limits.js";
import { usageReader } from "./usage.js";

export interface ContainerParts {
  readonly api: EngineApi;
  readonly id: string;
  readonly spec: Pick<ContainerSpec, "pod" | "name" | "memoryLimitBytes" | "onOutput">;
  /** Its output, opened before it was started; or from when on it is to be heard, of one that runs already. */
  readonly output: Duplex | { readonly sinceMs: number };
  readonly startedAtMs: number;
  readonly clock: Clock;
  readonly stopSignal: string;
  /** What the engine itself runs on, such as `amd64`, and what the image was built for. */
  readonly architecture: string;
  readonly builtFor: string | undefined;
  /** Once, when it has ended: nothing of it is needed any more. */
  readonly clearAway: () => void;
}

interface Listening {
  /** All output there will be was heard. */
  readonly heard: Promise<void>;
  quietSinceMs(): number | undefined;
  stop(): void;
}

/** As the engine tells it. */
export interface State {
  readonly Status: string;
  readonly Running: boolean;
  readonly StartedAt: string;
  readonly FinishedAt?: string;
  readonly ExitCode: number;
  readonly OOMKilled: boolean;
  readonly Error?: string;
}

export function followContainer({
  api,
  id,
  spec,
  output,
  startedAtMs,
  clock,
  stopSignal,
  architecture,
  builtFor = architecture,
  clearAway,
}: ContainerParts): RunningContainer {
  const path = `/containers/${id}`;
  const usage = usageReader(api, id, clock.now);
  const listeners = new Set<(because: string | undefined) => void>();
  let isOver = false;
  let wasKilledHere = false;
  let isEnding = false;
  let poke = () => {};
  let killAtMs = Number.POSITIVE_INFINITY;
  let cancelKill: (() => void) | undefined;
  let awaySinceMs: number | undefined;
  let awayFor: string | undefined;
  let lastAway: string | undefined;

  async function signal(name: string): Promise<void> {
    if (isOver) return;
    if (name === "SIGKILL") wasKilledHere = true;
    // Gone already, or gone with the engine: the one who waits for its end sees which.
    await api.call("POST", `${path}/kill`, { query: { signal: name } }).catch(() => {});
    isEnding = true;
    poke();
  }

  /**
   * The end of its output, or the engine, which looks now and then: either may be the first to know. Both have been
   * seen to miss an end, so it is asked after now and then, and often once it was told to end.
   */
  async function ended(): Promise<ContainerExit> {
    let listening =
      "sinceMs" in output
        ? hearAgain(output.sinceMs)
        : listenTo(hear(output, spec.onOutput), () => output.destroy());
    for (;;) {
      const cut = new AbortController();
      try {
        const query = { condition: "not-running" };
        const over = api.call("POST", `${path}/wait`, { query, signal: cut.signal, withinMs: 0 });
        over.catch(() => {}); // told to whoever asks for the state below
        const lookInMs = isEnding ? endingLookMs : lookAgainMs;
        await Promise.race([over.catch(() => {}), listening.heard, poked(), later(lookInMs)]);
        let state = await stateNow();
        if (awayFor !== undefined) tell(undefined);
        if (state.Running && listening.quietSinceMs() !== undefined) {
          // An end is known a moment after the last word; later than that, output was closed, or nobody passed it on.
          await Promise.race([over, later(lastWordsMs)]);
          state = await stateNow();
          if (state.Running) listening = hearAgain(awaySinceMs ?? listening.quietSinceMs() ?? clock.now());
          awaySinceMs = state.Running ? undefined : awaySinceMs;
        }
        if (!state.Running) {
          await Promise.race([listening.heard, later(lastWordsMs)]);
          listening.stop();
          return exit(state);
        }
      } catch (error) {
        if (isPortError(error, "NotFound")) return gone();
        await away(error);
      } finally {
        cut.abort();
      }
    }
  }

  function listenTo(heard: Promise<void>, stop: () => void): Listening {
    let quietSinceMs: number | undefined;
    const settled = heard.then(() => {
      quietSinceMs = clock.now();
    });
    return { heard: settled, quietSinceMs: () => quietSinceMs, stop };
  }

  /** Resolves when the container was told something that may end it. */
  function poked(): Promise<void> {
    return new Promise((resolve) => {
      poke = resolve;
    });
  }

  async function stateNow(): Promise<State> {
    const { State: state } = await api.call<{ State: State }>("GET", `${path}/json`);
    return { ...state, Running: runs(state) };
  }

  /** From what the engine kept: output of the moments in which nobody listened is in it. Nobody waits for its first word. */
  function hearAgain(sinceMs: number): Listening {
    const cut = new AbortController();
    const query = { follow: true, stdout: true, stderr: true, since: (sinceMs / 1000).toFixed(3) };
    const heard = api.stream("GET", `${path}/logs`, { query, signal: cut.signal }).then(
      (logs) => hear(logs, spec.onOutput),
      () => {}, // the engine is away again, or the container gone: whoever waits for its end sees that
    );
    return listenTo(heard, () => cut.abort());
  }

  function later(ms: number): Promise<void> {
    return new Promise((resolve) => clock.after(ms, resolve));
  }

  async function away(error: unknown): Promise<void> {
    const nowMs = clock.now();
    awaySinceMs ??= nowMs;
    const because = error instanceof Error ? error.message : String(error);
    if (awayFor === undefined && nowMs - awaySinceMs >= awayToldMs) tell(because);
    const waitMs = Math.min(Math.max((nowMs - awaySinceMs) / 2, awayFirstMs), awayMaxMs);
    await later(waitMs);
  }

  function tell(because: string | undefined): void {
    awayFor = because;
    lastAway = because ?? lastAway;
    for (const listener of listeners) listener(because);
  }

  function exit({ ExitCode: exitCode, OOMKilled, Error: said, FinishedAt = "" }: State): ContainerExit {
    const killed = exitCode === 137;
    const why = because(exitCode, said);
    return {
      exitCode,
      signal: exitCode > 128 && exitCode < 160 ? exitCode - 128 : undefined,
      // Engines on the older control groups do not say so; a kill that nobody here asked for, under a limit, was one.
      oomKilled: killed && !wasKilledHere && (OOMKilled || spec.memoryLimitBytes !== undefined),
      ...(why !== undefined && { because: why }),
      startedAtMs,
      finishedAtMs: within(startedAtMs, Date.parse(FinishedAt), clock.now()),
    };
  }

  function because(exitCode: number, said: string | undefined): string | undefined {
    if (awaySinceMs !== undefined && !wasKilledHere) {
      return `it ended while the container engine was away${lastAway === undefined ? "" : `: ${lastAway}`}`;
    }
    // With an emulator installed it may run all the same, so only an end at once is laid to this.
    if (builtFor !== architecture && exitCode !== 0 && clock.now() - startedAtMs < atOnceMs) {
      return `the image is built for ${builtFor}, and this engine runs on ${architecture}: build or choose one for ${architecture}`;
    }
    return said || undefined;
  }

  function gone(): ContainerExit {
    return {
      exitCode: 137,
      signal: 9,
      oomKilled: false,
      because: wasKilledHere ? "" : "the container was removed from the engine by somebody else",
      startedAtMs,
      finishedAtMs: clock.now(),
    };
  }

  const exited = ended().then((end) => {
    isOver = true;
    cancelKill?.();
    clearAway();
    return end;
  });

  return {
    id,
    startedAtMs,
    exited,
    stop(graceMs) {
      const at = clock.now() + graceMs;
      if (isOver || at >= killAtMs) return exited;
      if (killAtMs === Number.POSITIVE_INFINITY && graceMs > 0) void signal(stopSignal);
      killAtMs = at;
      cancelKill?.();
      if (graceMs <= 0) void signal("SIGKILL");
      else cancelKill = clock.after(graceMs, () => void signal("SIGKILL"));
      return exited;
    },
    kill() {
      void signal("SIGKILL");
      return exited;
    },
    async exec(options) {
      if (isOver) throw new PortError("BadRequest", `container ${spec.name} is not running`);
      return execBeside(api, id, options);
    },
    usage: () => (isOver ? undefined : usage()),
    onTrouble: (listener) => void listeners.add(listener),
  };
}

/** Somebody may have paused it, which Podman does not count as running. */
export function runs({ Running, Status }: State): boolean {
  return Running || Status === "paused";
}

/** The engine's clock may be another machine's: no end is before its beginning, or still to come. */
function within(startedAtMs: number, finishedAtMs: number, nowMs: number): number {
  return finishedAtMs > 0 ? Math.min(Math.max(finishedAtMs, startedAtMs), nowMs) : nowMs;
}

/** Passes output on, and stops reading while the listener is busy. Settles when the stream has ended and all was heard. */
function hear(stream: Readable, onOutput: ContainerSpec["onOutput"]): Promise<void> {
  const take = demuxer();
  return new Promise((resolve) => {
    let busy: Promise<unknown> = Promise.resolve();
    stream.on("data", (chunk: Uint8Array) => {
      const waits = take(chunk).flatMap(({ stream: name, bytes }) => onOutput(name, bytes) ?? []);
      if (waits.length === 0) return;
      stream.pause();
      busy = Promise.all(waits).finally(() => stream.resume());
      busy.catch(() => {}); // who cannot write a log says so himself; the container goes on
    });
    const end = () =>
      void busy.then(
        () => resolve(),
        () => resolve(),
      );
    stream.once("end", end);
    stream.once("close", end);
    stream.on("error", () => {}); // closes too
  });
}
