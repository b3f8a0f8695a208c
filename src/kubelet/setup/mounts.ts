// Where a container's mounts really are.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Container } from "../../domain/apis/core/container.types.js";
import type { SandboxMount } from "../../ports/index.js";
import { expand } from "./expand.js";
import { isProblem, type SetupProblem } from "./problem.js";
import { resolveSubPath } from "./volumeFiles.js";
import type { Volumes } from "./volumes.js";

export async function resolveMounts(
  container: Container,
  volumes: Volumes,
  env: { readonly [name: string]: string },
): Promise<readonly SandboxMount[] | SetupProblem> {
  const mounts: SandboxMount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    if (volume === undefined) return { problem: `volume "${mount.name}" not found` };
    const subPath = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, env);
    const hostPath = subPath ? await resolveSubPath(volume, subPath) : volume;
    if (isProblem(hostPath)) return hostPath;
    mounts.push({ containerPath: mount.mountPath, hostPath, readOnly: mount.readOnly ?? false });
  }
  return mounts;
}

/** An empty file for the container's last words, where it expects it. */
export function terminationMount(container: Container, file: string): SandboxMount {
  // Synchronous: two small calls take less than the way through the thread pool, and a cold start waits for them.
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "");
  // Whoever the container runs as may write it; the folders above let nobody else in.
  chmodSync(file, 0o666);
  return {
    containerPath: container.terminationMessagePath ?? "/dev/termination-log",
    hostPath: file,
    readOnly: false,
  };
}
