// What files a configMap, secret, downwardAPI or projected volume holds.
import type { Pod } from "../../domain/apis/core/pod.types.js";
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
} from "../../domain/apis/core/volume.types.js";
import type { Client } from "../../ports/index.js";
import type { SandboxKind } from "../place.js";
import { fieldValue, type NodeFacts, resourceValue } from "./downward.js";
import { containerNamed } from "./env.js";
import { isProblem, type SetupProblem } from "./problem.js";
import { configMapSource, type KeyedSource, secretSource } from "./sources.js";
import type { VolumeFile } from "./volumeFiles.js";
import type { VolumeContext } from "./volumes.js";

interface Reference {
  readonly name?: string | undefined;
  readonly items?: readonly KeyToPath[] | undefined;
  readonly optional?: boolean | undefined;
}

type Files = readonly VolumeFile[] | SetupProblem;

const ordinaryMode = 0o644;

export async function configMapFiles(
  client: Client,
  namespace: string,
  reference: Reference,
  mode: number | undefined,
): Promise<Files> {
  return keyedFiles(
    await configMapSource(client, namespace, reference.name ?? ""),
    reference,
    mode ?? ordinaryMode,
  );
}

/** Everybody on this machine shares its file system, so only the owner may read a process's secrets, whatever the mode says. */
export function secretMode(kind: SandboxKind): number {
  return kind === "process" ? 0o700 : 0o777;
}

export async function secretFiles(
  client: Client,
  namespace: string,
  reference: Reference,
  mode: number | undefined,
  allowed: number,
): Promise<Files> {
  const files = keyedFiles(
    await secretSource(client, namespace, reference.name ?? ""),
    reference,
    mode ?? ordinaryMode,
  );
  return isProblem(files) ? files : files.map((file) => ({ ...file, mode: file.mode & allowed }));
}

function keyedFiles(source: KeyedSource, { items, optional }: Reference, mode: number): Files {
  if (source.data === undefined)
    return optional ? [] : { problem: `${source.word} "${source.name}" not found` };
  if (items === undefined) {
    return Object.entries(source.data).map(([path, content]) => ({ path, content, mode }));
  }
  const files: VolumeFile[] = [];
  for (const item of items) {
    const content = source.data[item.key];
    if (content !== undefined) files.push({ path: item.path, content, mode: item.mode ?? mode });
    else if (!optional)
      return { problem: `${source.word} "${source.name}" references non-existent key: ${item.key}` };
  }
  return files;
}

export function downwardFiles(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[] | undefined,
  mode: number | undefined,
  node: NodeFacts,
): Files {
  const files: VolumeFile[] = [];
  for (const item of items ?? []) {
    const text = downwardText(pod, item, node);
    if (text === undefined) return { problem: `unsupported downward API item ${item.path}` };
    files.push({ path: item.path, content: Buffer.from(text), mode: item.mode ?? mode ?? ordinaryMode });
  }
  return files;
}

function downwardText(pod: Pod, item: DownwardAPIVolumeFile, node: NodeFacts): string | undefined {
  if (item.fieldRef !== undefined) return fieldValue(pod, item.fieldRef.fieldPath, node.name);
  const { containerName, resource, divisor } = item.resourceFieldRef ?? {};
  const container = containerNamed(pod, containerName);
  return container && resource ? resourceValue(container, resource, divisor, node) : undefined;
}

export async function projectedFiles(
  pod: Pod,
  source: ProjectedVolumeSource,
  { client, node, serviceAccountToken, sandboxKind }: VolumeContext,
): Promise<Files> {
  const namespace = pod.metadata.namespace ?? "";
  const mode = source.defaultMode;
  const files: VolumeFile[] = [];
  for (const part of source.sources ?? []) {
    const made =
      part.configMap !== undefined
        ? await configMapFiles(client, namespace, part.configMap, mode)
        : part.secret !== undefined
          ? await secretFiles(client, namespace, part.secret, mode, secretMode(sandboxKind))
          : part.downwardAPI !== undefined
            ? downwardFiles(pod, part.downwardAPI.items, mode, node)
            : await tokenFiles(
                pod,
                part.serviceAccountToken,
                serviceAccountToken,
                ordinaryMode & secretMode(sandboxKind),
              );
    if (isProblem(made)) return made;
    files.push(...made);
  }
  return files;
}

async function tokenFiles(
  pod: Pod,
  source: NonNullable<ProjectedVolumeSource["sources"]>[number]["serviceAccountToken"],
  issue: VolumeContext["serviceAccountToken"],
  mode: number,
): Promise<Files> {
  if (source === undefined || issue === undefined) return [];
  const token = await issue({
    namespace: pod.metadata.namespace ?? "",
    serviceAccount: pod.spec?.serviceAccountName ?? "default",
    audience: source.audience,
    expirationSeconds: source.expirationSeconds ?? 3600,
  });
  return [{ path: source.path ?? "token", content: Buffer.from(token), mode }];
}
