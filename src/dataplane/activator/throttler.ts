// Holds a request until a pod may take it. This one knows warm revisions only: it picks, counts and steps aside.
import { pickLeastLoaded } from "../../domain/balancing/index.js";
import type { Random } from "../../ports/index.js";
import type { Forwarded } from "../proxy/index.js";

export interface PodAddress {
  readonly address: string;
  readonly pod: string;
}

/** What a throttler is told of a revision; the route table's own revisions are such. */
export interface RevisionPods {
  readonly namespace: string;
  readonly name: string;
  readonly targets: readonly PodAddress[];
  readonly notReady: number;
}

/** One request waiting for a pod. The signal is made when first asked for: a warm request never asks. */
export interface Waiting {
  readonly revision: RevisionPods;
  readonly signal: AbortSignal;
  /** Out: the pod that was tried last, so that bad news can name it. */
  tried: PodAddress | undefined;
}

export type Admitted = Forwarded | { readonly outcome: "noPod"; readonly because: string };

export interface Throttler {
  try(waiting: Waiting, attempt: (target: PodAddress) => Promise<Forwarded>): Promise<Admitted>;
  /** Told with every new route table; whoever holds requests learns here that a pod has come. */
  update?(revisions: readonly RevisionPods[]): void;
}

/** Requests in flight by pod address. Counters outlive route tables, which know nothing of load. */
export interface InFlight {
  of(address: string): number;
  all(): ReadonlyMap<string, number>;
}

export function warmThrottler(random: Random): {
  readonly throttler: Throttler;
  readonly inFlight: InFlight;
} {
  const counts = new Map<string, number>();
  const loadOf = (target: PodAddress) => counts.get(target.address) ?? 0;

  const hold = async (target: PodAddress, attempt: (target: PodAddress) => Promise<Forwarded>) => {
    const { address } = target;
    counts.set(address, (counts.get(address) ?? 0) + 1);
    try {
      return await attempt(target);
    } finally {
      const left = (counts.get(address) ?? 1) - 1;
      // Addresses come and go with pods, so a counter at rest is not kept.
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    }
  };

  return {
    inFlight: { of: (address) => counts.get(address) ?? 0, all: () => counts },
    throttler: {
      async try(waiting, attempt) {
        const { targets } = waiting.revision;
        const first = pickLeastLoaded(targets, loadOf, random);
        if (first === undefined) return { outcome: "noPod", because: nobodyReady(waiting.revision) };
        waiting.tried = first;
        const forwarded = await hold(first, attempt);
        if (forwarded.outcome !== "refused") return forwarded;
        // The model saw nothing, so another pod may. Once: more would turn one dead node into a storm.
        const second = pickLeastLoaded(targets, loadOf, random, first);
        if (second === undefined) return forwarded;
        waiting.tried = second;
        return hold(second, attempt);
      },
    },
  };
}

function nobodyReady({ namespace, name, notReady }: RevisionPods): string {
  const pods =
    notReady === 0 ? "it has no pods" : `${notReady} ${notReady === 1 ? "pod is" : "pods are"} not ready yet`;
  return `no pod of revision ${namespace}/${name} is ready: ${pods}`;
}
