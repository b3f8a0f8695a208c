// What the containers of one pod share.
import type { Container } from "../domain/apis/core/container.types.js";
import type { Pod } from "../domain/apis/core/pod.types.js";
import type { PodRef } from "../ports/index.js";
import type { KubeletDeps } from "./deps.js";
import type { PodFolders } from "./folders.js";
import type { Placed, SandboxKind } from "./place.js";
import type { PodPorts } from "./podPorts.js";
import type { NodeFacts } from "./setup/downward.js";
import type { Volumes } from "./setup/volumes.js";
import type { StartWatch } from "./startTimes.js";
import type { ContainerFacts } from "./status/facts.js";

export interface PodWorld {
  readonly deps: KubeletDeps;
  readonly node: NodeFacts;
  readonly ref: PodRef;
  readonly folders: PodFolders;
  pod(): Pod;
  ports(): PodPorts;
  volumes(): Volumes;
  /** The sandbox a container of this pod runs in. */
  place(container: Container, role: "init" | "sidecar" | "main"): Promise<Placed>;
  /** The sandbox of the pod as a whole. */
  readonly sandboxKind: Promise<SandboxKind>;
  /** Aborted when nothing of this pod may be started any more. */
  readonly ending: AbortSignal;
  facts(container: string): ContainerFacts;
  /** Notes what changed about a container; the status follows by itself. */
  note(container: string, change: Partial<ContainerFacts>): void;
  /** The clock of the pod's first start. */
  readonly start: StartWatch;
  /** Something moves that no container's state shows, such as the bytes of a download. */
  /** Why nothing can be said of a container for now, or that all is well again. */
  away(because: string | undefined): void;
  progressed(): void;
  /** The ports are not what the pod's annotation says. */
  portsChanged(): void;
}
