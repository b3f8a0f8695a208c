// From a container of a pod to everything a sandbox needs to start it.
import type { Container } from "../../domain/apis/core/container.types.js";
import { asNumber } from "../../domain/apis/quantity/index.js";
import type { ContainerSpec, ResolvedImage } from "../../ports/index.js";
import { resolveEnv } from "../setup/env.js";
import { expand } from "../setup/expand.js";
import { resolveMounts, terminationMount } from "../setup/mounts.js";
import { isProblem, type SetupProblem } from "../setup/problem.js";
import type { PodWorld } from "../world.js";

export async function makeContainerSpec(
  container: Container,
  image: ResolvedImage,
  world: PodWorld,
  onOutput: ContainerSpec["onOutput"],
): Promise<ContainerSpec | SetupProblem> {
  const { deps, folders, node } = world;
  const ports = world.ports();
  const mine = ports.of(container.name);
  const context = { client: deps.client, node, port: mine[0]?.hostPort, hostPortOf: ports.hostPort };
  const env = await resolveEnv(world.pod(), container, context);
  if (isProblem(env)) return env;
  const mounts = await resolveMounts(container, world.volumes(), env);
  if (isProblem(mounts)) return mounts;

  const given = (words: readonly string[] | undefined) => (words ?? []).map((word) => expand(word, env));
  const [command, args] = [given(container.command), given(container.args)];
  const own = [...image.entrypoint, ...(args.length > 0 ? args : image.defaultArgs)];
  const argv = command.length > 0 ? [...command, ...args] : own;
  if (argv.length === 0)
    return { problem: `image ${container.image} has no command of its own: set the container's command` };

  const terminationLog = folders.terminationLog(container.name);
  const limit = (name: string) => {
    const set = container.resources?.limits?.[name];
    return set === undefined ? undefined : asNumber(set);
  };
  return {
    id: newId(deps.random),
    pod: world.ref,
    name: container.name,
    image,
    command: argv,
    // A process cannot be given a file at a path of its choice; programs that know us read where it is.
    env: { ...env, DRYDOCK_TERMINATION_LOG: terminationLog },
    workingDir: container.workingDir || undefined,
    mounts: [...mounts, terminationMount(container, terminationLog)],
    ports: mine,
    home: folders.home(container.name),
    memoryLimitBytes: limit("memory"),
    cpuLimit: limit("cpu"),
    onOutput,
  };
}

function newId(random: () => number): string {
  return Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join("");
}
