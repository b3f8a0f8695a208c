/**
 * Which sandbox a pod gets: processes when every image of it is one that runs so, else a container engine. The
 * pod's annotation may say otherwise. Init containers that are part of Drydock are processes in either.
 */
import type { Container } from "../domain/apis/core/container.types.js";
import type { Pod } from "../domain/apis/core/pod.types.js";
import type { Images, PodPort, PodRef, Sandbox, Survivor } from "../ports/index.js";
import type { KubeletDeps } from "./deps.js";
import { wantedPorts } from "./podPorts.js";
import { isTrouble } from "./setup/problem.js";

const sandboxAnnotation = "drydock.dev/sandbox";

export type SandboxKind = "process" | "container";

export interface Place {
  readonly kind: SandboxKind;
  readonly sandbox: Pick<Sandbox, "scheme" | "start" | "forwardsPorts">;
  readonly images: Images;
}

/** `because` says why no sandbox fits, and what would make one fit. */
export type Placed = Place | { readonly because: string };

export type Survivors =
  | { readonly outcome: "found"; readonly place: Place; readonly all: readonly Survivor[] }
  /** The engine is not there to be asked. */
  | { readonly outcome: "away"; readonly because: string };

export interface PodPlace {
  readonly kind: Promise<SandboxKind>;
  of(container: Container, role: "init" | "sidecar" | "main"): Promise<Placed>;
  /** Whether an earlier life of Drydock ran this pod in an engine, and was killed: its containers may run on. */
  readonly mayHaveSurvived: boolean;
  /** What an earlier life left of this pod, and where: each is followed or ended by whoever asked. */
  survivors(ref: PodRef): Promise<Survivors>;
  /** Ports that lead to the pod already, where its sandbox had a network waiting. */
  network(ref: PodRef): Promise<readonly PodPort[]>;
  /** What the pod's containers shared is given back. */
  end(ref: PodRef): Promise<void>;
}

export function podPlace(pod: Pod, deps: KubeletDeps): PodPlace {
  const wish = pod.metadata.annotations?.[sandboxAnnotation];
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const kind = decide();
  let engine: Sandbox | undefined;

  async function decide(): Promise<SandboxKind> {
    if (wish === "process" || wish === "container") return wish;
    for (const { image } of all) if (!(await isOurs(image))) return "container";
    return "process";
  }

  async function isOurs(image: string): Promise<boolean> {
    const found = await deps.images.resolve(image);
    return found.outcome === "resolved" || !found.isUnknown;
  }

  async function needsEngine(image: string): Promise<string> {
    const found = await deps.images.resolve(image);
    return found.outcome === "missing" && found.isUnknown
      ? found.because
      : `${image} needs a container engine, for annotation ${sandboxAnnotation} says so`;
  }

  const mayHaveSurvived = deps.engine?.hasLeftovers() === true && hasRunOutside(pod, deps.sandbox.scheme);

  return {
    kind,
    mayHaveSurvived,
    async survivors(ref) {
      const opened = await deps.engine!.open();
      if (opened.outcome === "missing") return { outcome: "away", because: opened.because };
      engine = opened.sandbox;
      try {
        const all = (await opened.sandbox.survivors?.(ref)) ?? [];
        const place: Place = { kind: "container", sandbox: opened.sandbox, images: opened.images };
        return { outcome: "found", place, all };
      } catch (error) {
        if (!isTrouble(error)) throw error;
        return { outcome: "away", because: error.message };
      }
    },
    async of({ image }, role) {
      if (wish !== undefined && wish !== "process" && wish !== "container") {
        return {
          because: `annotation ${sandboxAnnotation} is ${JSON.stringify(wish)}: it takes process or container`,
        };
      }
      const process: Place = { kind: "process", sandbox: deps.sandbox, images: deps.images };
      if ((await kind) === "process") return process;
      // What runs to its end serves nobody, so its parts need no network in common.
      const alone = role === "init" || (wish === undefined && pod.spec?.restartPolicy === "Never");
      if (alone && (await isOurs(image))) return process;
      const why = await needsEngine(image);
      // What needs an engine tells that there is none; beside it, one of ours is no cause of anything.
      const isBystander = wish === undefined && (await isOurs(image));
      if (deps.engine === undefined) return isBystander ? process : { because: why };
      const opened = await deps.engine.open();
      if (opened.outcome === "missing") {
        return isBystander ? process : { because: `${why}: ${opened.because}` };
      }
      if (isBystander) {
        return {
          because:
            `${image} runs as a process and ${all.find((one) => one.image !== image)?.image} needs a container ` +
            "engine, and containers of one pod share a network: use images of one kind, or put them into pods of their own",
        };
      }
      engine = opened.sandbox;
      return { kind: "container", sandbox: opened.sandbox, images: opened.images };
    },
    async network(ref) {
      const { restartPolicy = "Always", hostAliases = [] } = pod.spec ?? {};
      // What runs to its end is not waited for, and names of a pod's own are part of its network.
      if (restartPolicy !== "Always" || hostAliases.length > 0 || (await kind) === "process") return [];
      const opened = await deps.engine?.open();
      if (opened?.outcome !== "open") return [];
      engine = opened.sandbox;
      const wanted = wantedPorts(pod);
      const ports = wanted.map(({ containerPort }) => containerPort);
      const hostPorts = opened.sandbox.networkFor?.(ref, ports) ?? [];
      return hostPorts.map((hostPort, at) => ({ ...wanted[at]!, hostPort }));
    },
    end: async (ref) => engine?.endPod?.(ref),
  };
}

function hasRunOutside({ status }: Pod, scheme: string): boolean {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.some(({ containerID }) => !!containerID && !containerID.startsWith(`${scheme}://`));
}
