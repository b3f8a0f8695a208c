// postStart and preStop.
import type { Container, Lifecycle } from "../../domain/apis/core/container.types.js";
import type { RunningContainer } from "../../ports/index.js";
import { askHttp } from "../probes/answers.js";
import { portNumber } from "../probes/ask.js";
import { podIP } from "../setup/downward.js";
import { pause } from "../times.js";
import type { PodWorld } from "../world.js";

type Hook = NonNullable<Lifecycle["preStop"]>;

/** Why the hook failed, if it did. */
export async function runHook(
  hook: Hook,
  container: Container,
  running: RunningContainer,
  world: PodWorld,
  limitMs: number,
): Promise<string | undefined> {
  if (hook.sleep !== undefined) {
    await pause(world.deps.clock, Math.min((hook.sleep.seconds ?? 0) * 1000, limitMs));
    return undefined;
  }
  if (hook.exec !== undefined) return runCommand(hook.exec.command ?? [], running, world, limitMs);
  if (hook.httpGet === undefined) return undefined;
  const port = portNumber(hook.httpGet.port, container, world.ports());
  if (port === undefined) return `unable to find port ${hook.httpGet.port}`;
  const answer = await askHttp(hook.httpGet, podIP, port, limitMs);
  return answer.isWell ? undefined : answer.because;
}

async function runCommand(
  command: readonly string[],
  running: RunningContainer,
  world: PodWorld,
  limitMs: number,
): Promise<string | undefined> {
  try {
    const session = await running.exec({ command, stdin: false, tty: false });
    session.stdout.resume();
    session.stderr.resume();
    const cancel = world.deps.clock.after(limitMs, () => session.kill());
    const exitCode = await session.exited;
    cancel();
    return exitCode === 0
      ? undefined
      : `command ${JSON.stringify(command.join(" "))} exited with ${exitCode}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
