// From a container of a pod to everything a sandbox needs to start it.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Container } from "../../domain/apis/core/container.types.js";
import { asNumber } from "../../domain/apis/quantity/index.js";
import { serving } from "../../domain/apis/serving/keys.js";
import type { ContainerSpec, ResolvedImage, SandboxMount, Walls } from "../../ports/index.js";
import { modelCacheFolder } from "../folders.js";
import type { SandboxKind } from "../place.js";
import { resolveEnv } from "../setup/env.js";
import { expand } from "../setup/expand.js";
import { resolveMounts, terminationMount } from "../setup/mounts.js";
import { isProblem, type SetupProblem } from "../setup/problem.js";
import type { PodWorld } from "../world.js";
import { wallsOf } from "./walls.js";

export async function makeContainerSpec(
  container: Container,
  image: ResolvedImage,
  kind: SandboxKind,
  world: PodWorld,
  onOutput: ContainerSpec["onOutput"],
): Promise<ContainerSpec | SetupProblem> {
  const { deps, folders, node } = world;
  const ports = world.ports();
  const mine = ports.of(container.name);
  const isProcess = kind === "process";
  // A container has all port numbers to itself; processes share the machine's.
  const context = {
    client: deps.client,
    node,
    port: isProcess ? mine[0]?.hostPort : mine[0]?.containerPort,
    hostPortOf: isProcess ? ports.hostPort : (port: number) => port,
  };
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
  const walls = isProcess ? undefined : wallsOf(container, image, world);
  if (isProblem(walls)) return walls;
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
    env: isProcess
      ? {
          ...env,
          DRYDOCK_TERMINATION_LOG: terminationLog,
          ...cacheOf(container, world),
          ...(await credentialsOf(container, argv, world)),
        }
      : env,
    workingDir: container.workingDir || undefined,
    mounts: [...mounts.filter(isNotInMemory(walls)), terminationMount(container, terminationLog)],
    ports: mine,
    home: folders.home(container.name),
    memoryLimitBytes: limit("memory"),
    cpuLimit: limit("cpu"),
    ...(walls && { walls }),
    onOutput,
  };
}

function isNotInMemory(walls: Walls | undefined): (mount: SandboxMount) => boolean {
  const inMemory = new Set(walls?.memoryMounts.map(({ containerPath }) => containerPath));
  return ({ containerPath }) => !inMemory.has(containerPath);
}

/** Where the storage initializer keeps what it fetched for a Revision: its next pod is to be up at once. */
function cacheOf({ name }: Container, { deps, pod }: PodWorld): { readonly [name: string]: string } {
  const uid = pod().metadata.labels?.[serving.revisionUid] ?? "";
  if (name !== "storage-initializer" || !/^[\w-]+$/.test(uid)) return {};
  return { DRYDOCK_MODEL_CACHE: modelCacheFolder(deps.home, uid) };
}

/** The storage initializer asks registries as the pod would be asked for its images: with all its Secrets, in their order. */
async function credentialsOf(
  { name }: Container,
  argv: readonly string[],
  { deps, ref, folders }: PodWorld,
): Promise<{ readonly [name: string]: string }> {
  const images = argv.flatMap((word) => /^oci(?:\+\w+)?:\/\/(.+)$/.exec(word)?.[1] ?? []);
  if (name !== "storage-initializer" || images.length === 0 || deps.pullCredentials === undefined) return {};
  const ask = deps.pullCredentials;
  const all = (await Promise.all(images.map((image) => ask(ref, image).catch(() => [])))).flat();
  const path = folders.credentials(name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, JSON.stringify(all), { mode: 0o600 });
  return { DRYDOCK_REGISTRY_CREDENTIALS: path };
}

function newId(random: () => number): string {
  return Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join("");
}
