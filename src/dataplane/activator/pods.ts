// The pods of one revision, each with its breaker: so many at once and never one more, and left alone while it refuses.
import {
  type EjectionLimits,
  ejectedForMs,
  pickFirstAvailable,
  pickLeastLoaded,
  pickRoundRobin,
} from "../../domain/balancing/index.js";
import type { Random } from "../../ports/index.js";
import type { PodAddress } from "./types.js";

export interface Pod extends PodAddress {
  inFlight: number;
  /** Refusals in a row. */
  refusals: number;
  /** `ejected` takes nothing; `onTrial` takes one request, and if that succeeds it is `fine` again. */
  health: "fine" | "ejected" | "onTrial";
  /** No longer among the endpoints: finishes what it has. */
  left: boolean;
  /** Which life of its server has what is in flight. */
  life: string | undefined;
  backAgain: (() => void) | undefined;
}

export interface PodsOptions {
  readonly random: Random;
  readonly ejection: EjectionLimits;
  readonly elsewhere: (address: string) => number;
  readonly after: (ms: number, run: () => void) => () => void;
  /** A pod may be asked again. */
  readonly onRoom: () => void;
  /** The server that has what is in flight there has ended. */
  readonly onLost: (pod: PodAddress) => void;
}

/** From four on a pod is worth filling in turn; below, a pod left empty can be taken away. As Knative. */
const firstAvailableUpTo = 3;

export class Pods {
  ready: readonly Pod[] = [];
  ejections = 0;
  private concurrency = 0;
  private next = 0;
  private troubled = 0;
  /** Left with requests: if the same pod comes back, so do its counts. */
  private readonly leaving = new Set<Pod>();

  constructor(private readonly options: PodsOptions) {}

  /** True when there may be more room than before. */
  update(
    targets: readonly PodAddress[],
    concurrency: number,
    lives: ReadonlyMap<string, string> = none,
  ): boolean {
    const before = new Map<string, Pod>();
    for (const pod of [...this.leaving, ...this.ready]) before.set(keyOf(pod), pod);
    let more = concurrency !== this.concurrency;
    const ready: Pod[] = [];
    for (const target of targets) {
      const known = before.get(keyOf(target));
      if (known !== undefined) {
        before.delete(keyOf(target));
        if (known.left) more = true;
        known.left = false;
        this.leaving.delete(known);
        ready.push(known);
        continue;
      }
      more = true;
      ready.push({
        address: target.address,
        pod: target.pod,
        inFlight: 0,
        refusals: 0,
        health: "fine",
        left: false,
        life: undefined,
        backAgain: undefined,
      });
    }
    for (const gone of before.values()) this.leave(gone);
    for (const pod of [...this.leaving, ...ready]) this.follow(pod, lives.get(pod.pod));
    this.ready = concurrency === 0 ? ready : ready.sort(byAddress);
    this.concurrency = concurrency;
    this.troubled = this.ready.filter(({ health }) => health !== "fine").length;
    return more;
  }

  /** Takes a place at a pod, or nothing when there is none. */
  reserve(except?: PodAddress): Pod | undefined {
    const pod = this.pick(except);
    if (pod !== undefined) pod.inFlight += 1;
    return pod;
  }

  /** A place at any pod, those that refuse included: for whoever must not wait. */
  reserveAnyhow(except?: PodAddress): Pod | undefined {
    const pod =
      this.reserve(except) ??
      (this.concurrency === 0
        ? pickLeastLoaded(
            this.ready.filter((one) => one !== except),
            loadOf,
            this.options.random,
          )
        : undefined);
    return pod;
  }

  release(pod: Pod): void {
    pod.inFlight -= 1;
    if (pod.left && pod.inFlight === 0) this.leaving.delete(pod);
  }

  refused(pod: Pod): void {
    pod.refusals += 1;
    // Requests that were on their way together fail together: that is one refusal, not twenty.
    if (pod.health === "ejected" || pod.left) return;
    this.ejections += 1;
    this.turn(pod, "ejected");
    pod.backAgain = this.options.after(ejectedForMs(pod.refusals, this.options.ejection), () => {
      pod.backAgain = undefined;
      this.turn(pod, "onTrial");
      this.options.onRoom();
    });
  }

  accepted(pod: Pod): void {
    if (pod.refusals === 0) return;
    pod.refusals = 0;
    pod.backAgain?.();
    pod.backAgain = undefined;
    this.turn(pod, "fine");
  }

  /** Pods that are told apart from none at all: some are there, but refuse. */
  get allRefuse(): boolean {
    return this.ready.length > 0 && this.ready.every(({ health }) => health !== "fine");
  }

  /** Places over all pods; nothing means any number. */
  get capacity(): number | undefined {
    return this.concurrency === 0 ? undefined : this.concurrency * this.ready.length;
  }

  all(): Iterable<Pod> {
    return [...this.ready, ...this.leaving];
  }

  close(): void {
    for (const pod of this.all()) pod.backAgain?.();
  }

  private pick(except: PodAddress | undefined): Pod | undefined {
    const { ready, concurrency } = this;
    if (concurrency === 0) {
      const targets = this.troubled === 0 ? ready : ready.filter(this.hasRoom);
      return pickLeastLoaded(targets, loadOf, this.options.random, except as Pod | undefined);
    }
    if (concurrency <= firstAvailableUpTo) return pickFirstAvailable(ready, this.hasRoom);
    const at = pickRoundRobin(ready, this.next, this.hasRoom);
    if (at === undefined) return undefined;
    this.next = at + 1;
    return ready[at];
  }

  private readonly hasRoom = (pod: Pod): boolean => {
    if (pod.health === "ejected") return false;
    const limit = pod.health === "onTrial" ? 1 : this.concurrency;
    return limit === 0 || pod.inFlight + this.options.elsewhere(pod.address) < limit;
  };

  private follow(pod: Pod, life: string | undefined): void {
    const isLost = pod.life !== undefined && pod.life !== life;
    pod.life = life;
    if (isLost && pod.inFlight > 0) this.options.onLost(pod);
  }

  private leave(pod: Pod): void {
    pod.left = true;
    pod.backAgain?.();
    pod.backAgain = undefined;
    pod.refusals = 0;
    pod.health = "fine";
    if (pod.inFlight > 0) this.leaving.add(pod);
  }

  private turn(pod: Pod, health: Pod["health"]): void {
    const was = pod.health !== "fine";
    pod.health = health;
    if (!pod.left) this.troubled += Number(health !== "fine") - Number(was);
  }
}

const none: ReadonlyMap<string, string> = new Map();

const loadOf = (pod: Pod): number => pod.inFlight;

/** A port may be given to another pod, which begins anew. */
function keyOf({ address, pod }: PodAddress): string {
  return `${address} ${pod}`;
}

function byAddress(one: PodAddress, other: PodAddress): number {
  return one.address < other.address ? -1 : one.address > other.address ? 1 : 0;
}
