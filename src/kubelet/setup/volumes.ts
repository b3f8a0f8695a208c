// A pod's volumes as directories of this machine.
import { existsSync, mkdirSync } from "node:fs";
import { chmod, mkdir, stat } from "node:fs/promises";
import { PersistentVolumeClaim } from "../../domain/apis/core/claim.types.js";
import type { Pod } from "../../domain/apis/core/pod.types.js";
import type { Volume } from "../../domain/apis/core/volume.types.js";
import type { Client } from "../../ports/index.js";
import type { ServiceAccountToken } from "../deps.js";
import { claimFolder, memoryFolder, type PodFolders } from "../folders.js";
import type { SandboxKind } from "../place.js";
import type { NodeFacts } from "./downward.js";
import { isProblem, type SetupProblem } from "./problem.js";
import { giveToGroup, type VolumeFile, writeFiles } from "./volumeFiles.js";
import { configMapFiles, downwardFiles, projectedFiles, secretFiles, secretMode } from "./volumeSources.js";

export interface VolumeContext {
  readonly client: Client;
  readonly home: string;
  readonly folders: PodFolders;
  readonly node: NodeFacts;
  readonly allowHostPath: boolean;
  /** Processes are all one user, and share the file system with everybody; containers are anybody, and see their volumes alone. */
  readonly sandboxKind: SandboxKind;
  readonly serviceAccountToken: ServiceAccountToken | undefined;
}

/** Volume name to directory. */
export type Volumes = ReadonlyMap<string, string>;

export async function prepareVolumes(pod: Pod, context: VolumeContext): Promise<Volumes | SetupProblem> {
  mkdirSync(context.folders.volumes, { recursive: true });
  const made = await Promise.all(
    (pod.spec?.volumes ?? []).map(async (volume) => ({ volume, path: await prepare(pod, volume, context) })),
  );
  const paths = new Map<string, string>();
  for (const { volume, path } of made) {
    if (isProblem(path)) {
      return { problem: `MountVolume.SetUp failed for volume "${volume.name}" : ${path.problem}` };
    }
    paths.set(volume.name, path);
  }
  return paths;
}

async function prepare(pod: Pod, volume: Volume, context: VolumeContext): Promise<string | SetupProblem> {
  if (volume.persistentVolumeClaim !== undefined) {
    return bindClaim(pod.metadata.namespace ?? "", volume.persistentVolumeClaim.claimName, context);
  }
  if (volume.hostPath !== undefined) return hostPath(volume.hostPath, context.allowHostPath);

  const isMemory = volume.emptyDir?.medium === "Memory" && existsSync(memoryFolder);
  const folder = isMemory ? context.folders.memoryVolume(volume.name) : context.folders.volume(volume.name);
  const files = await filesOf(pod, volume, context);
  if (isProblem(files)) return files;
  // Synchronous: it takes less than the way through the thread pool, and a cold start waits for it.
  if (isMemory) mkdirSync(context.folders.memoryRoot, { recursive: true, mode: 0o700 });
  mkdirSync(folder, { recursive: true });
  await writeFiles(folder, files);
  if (context.sandboxKind === "container") await open(folder, volume, pod);
  return folder;
}

/** Whoever a container runs as: an empty directory is everybody's, and the pod's group owns what the pod's volumes hold. */
async function open(folder: string, { emptyDir }: Volume, pod: Pod): Promise<void> {
  if (emptyDir !== undefined) await chmod(folder, 0o777);
  const group = pod.spec?.securityContext?.fsGroup;
  if (group !== undefined) await giveToGroup(folder, group);
}

async function filesOf(
  pod: Pod,
  volume: Volume,
  context: VolumeContext,
): Promise<readonly VolumeFile[] | SetupProblem> {
  const namespace = pod.metadata.namespace ?? "";
  if (volume.configMap !== undefined) {
    return configMapFiles(context.client, namespace, volume.configMap, volume.configMap.defaultMode);
  }
  if (volume.secret !== undefined) {
    const { secretName, ...rest } = volume.secret;
    const mode = secretMode(context.sandboxKind);
    return secretFiles(context.client, namespace, { ...rest, name: secretName }, rest.defaultMode, mode);
  }
  if (volume.downwardAPI !== undefined) {
    return downwardFiles(pod, volume.downwardAPI.items, volume.downwardAPI.defaultMode, context.node);
  }
  if (volume.projected !== undefined) return projectedFiles(pod, volume.projected, context);
  if (volume.emptyDir !== undefined) return [];
  const kind = Object.keys(volume).find((key) => key !== "name");
  // A volume without any source is an empty directory, as the API says.
  return kind === undefined ? [] : { problem: `volumes of type ${kind} are not supported on this machine` };
}

async function bindClaim(
  namespace: string,
  name: string,
  { client, home, sandboxKind }: VolumeContext,
): Promise<string | SetupProblem> {
  const claim = await client.get(PersistentVolumeClaim, { namespace, name });
  if (claim === undefined) return { problem: `persistentvolumeclaim "${name}" not found` };
  const folder = claimFolder(home, namespace, name);
  await mkdir(folder, { recursive: true });
  if (sandboxKind === "container") await chmod(folder, 0o777);
  if (claim.status?.phase !== "Bound") {
    const capacity = claim.spec?.resources?.requests;
    const status = {
      phase: "Bound",
      accessModes: claim.spec?.accessModes ?? ["ReadWriteOnce"],
      ...(capacity && { capacity }),
    };
    await client.patch(
      PersistentVolumeClaim,
      { namespace, name },
      { status },
      { type: "merge", subresource: "status" },
    );
  }
  return folder;
}

async function hostPath(
  source: NonNullable<Volume["hostPath"]>,
  isAllowed: boolean,
): Promise<string | SetupProblem> {
  if (!isAllowed) {
    return {
      problem: "hostPath volumes are refused; start Drydock with host paths allowed, or use another volume",
    };
  }
  if (source.type === "DirectoryOrCreate") await mkdir(source.path, { recursive: true });
  const found = await stat(source.path).catch(() => undefined);
  if (found === undefined) return { problem: `hostPath type check failed: ${source.path} does not exist` };
  if (source.type === "Directory" && !found.isDirectory()) {
    return { problem: `hostPath type check failed: ${source.path} is not a directory` };
  }
  return source.path;
}
