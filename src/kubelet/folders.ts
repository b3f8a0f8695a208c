// Where one pod's files are. Names of pods and volumes are DNS labels, checked by the API, so they are safe as paths.
import { join } from "node:path";

export interface PodFolders {
  readonly root: string;
  readonly volumes: string;
  readonly volume: (name: string) => string;
  /** Below a file system in memory, where the machine has one. */
  readonly memoryRoot: string;
  readonly memoryVolume: (name: string) => string;
  readonly home: (container: string) => string;
  readonly logs: (container: string) => string;
  readonly terminationLog: (container: string) => string;
  /** Who the pod is to registries, for a container that asks them itself. */
  readonly credentials: (container: string) => string;
}

export function podsFolder(home: string): string {
  return join(home, "pods");
}

/** Beside the pods, which come and go: what a Revision's pods have fetched. */
export function modelCacheFolder(home: string, revisionUid: string): string {
  return join(home, "cache", "models", revisionUid);
}

export function claimFolder(home: string, namespace: string, claim: string): string {
  return join(home, "volumes", namespace, claim);
}

/** Linux keeps it in memory, and charges a container for what it writes there. */
export const memoryFolder = "/dev/shm";

export function podFolders(home: string, uid: string): PodFolders {
  const root = join(podsFolder(home), uid);
  const volumes = join(root, "volumes");
  const memoryRoot = join(memoryFolder, `drydock-${uid}`);
  return {
    root,
    volumes,
    volume: (name) => join(volumes, name),
    memoryRoot,
    memoryVolume: (name) => join(memoryRoot, name),
    home: (container) => join(root, "containers", container),
    logs: (container) => join(root, "logs", container),
    terminationLog: (container) => join(root, "termination", container),
    credentials: (container) => join(root, "credentials", `${container}.json`),
  };
}
