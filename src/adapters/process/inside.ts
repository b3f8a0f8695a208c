// One container without a process: a program of ours whose work is done in a moment, and within this one.
import {
  type Clock,
  type ContainerExit,
  type ContainerSpec,
  type InsideRun,
  PortError,
  type RunningContainer,
} from "../../ports/index.js";

export function runInside(spec: ContainerSpec, run: InsideRun, clock: Clock): RunningContainer {
  const startedAtMs = clock.now();
  const stopping = new AbortController();
  let heard = Promise.resolve();
  const exited = (async (): Promise<ContainerExit> => {
    const exitCode = await run({
      signal: stopping.signal,
      say(line) {
        heard = Promise.resolve(spec.onOutput("stderr", Buffer.from(`${line}\n`)));
      },
    });
    await heard;
    return { exitCode, signal: undefined, oomKilled: false, startedAtMs, finishedAtMs: clock.now() };
  })();
  const end = () => {
    stopping.abort();
    return exited;
  };
  return {
    id: spec.id,
    startedAtMs,
    exited,
    // It has a moment to live either way: no grace is shorter.
    stop: end,
    kill: end,
    async exec() {
      throw new PortError("BadRequest", `container ${spec.name} is not running`);
    },
    usage: () => undefined,
  };
}
