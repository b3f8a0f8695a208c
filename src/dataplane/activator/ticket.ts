// One request while it is ours: held, with a pod, or told that it was too late.
import type { Forwarded } from "../proxy/index.js";
import type { Listed } from "./list.js";
import type { Pod } from "./pods.js";
import type { Admitted, Asker, Waiting } from "./types.js";

export class Ticket implements Listed<Ticket> {
  // Among those of its revision, by arrival.
  before: Ticket | undefined = undefined;
  after: Ticket | undefined = undefined;
  listed = false;
  pod: Pod | undefined = undefined;
  /** Pods that refused it. */
  refusals = 0;
  refusedSinceMs = 0;
  held: Held | undefined = undefined;
  late: Extract<Admitted, { outcome: "late" }> | undefined = undefined;
  watch: Watch | undefined = undefined;
  settled = false;

  constructor(
    readonly waiting: Waiting,
    readonly asker: Asker,
  ) {}
}

/** Its place in the queue. */
export interface Held extends Listed<Held> {
  readonly ticket: Ticket;
  readonly bytes: number;
  readonly sinceMs: number;
  /** There was no pod when it began to wait. */
  readonly cold: boolean;
  /** What the pod said that was tried last. */
  readonly refusal: Forwarded | undefined;
  stopWaiting: () => void;
}

/** Only for revisions that limit how an answer may dawdle. */
interface Watch {
  stop(): void;
}
