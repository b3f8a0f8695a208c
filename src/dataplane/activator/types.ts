// What the activator is told of revisions and requests, and what it says of them.
import type { Forwarded } from "../proxy/index.js";

export interface PodAddress {
  readonly address: string;
  readonly pod: string;
}

/** A Revision's own limits. A plain Service has none, and nobody waits for its pods. */
export interface RevisionSettings {
  /** Requests one pod takes at once; 0 for any number. */
  readonly containerConcurrency: number;
  /** From arrival to the last byte. */
  readonly timeoutMs: number;
  /** From arrival to the first byte of the answer. */
  readonly responseStartMs: number | undefined;
  /** From one byte of the answer to the next. */
  readonly idleMs: number | undefined;
  /** Why it is not Ready, in its condition's words. */
  readonly trouble: string | undefined;
}

/** What a throttler is told of a revision; the route table's own revisions are such. */
export interface RevisionPods {
  /** The same for the same pods, whatever the table. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly targets: readonly PodAddress[];
  readonly notReady: number;
  /** By pod, which life of its server runs now; none for one whose server does not run. Undefined where nobody tells. */
  readonly lives?: ReadonlyMap<string, string> | undefined;
  readonly settings: RevisionSettings | undefined;
}

/** Hears of an answer on its way to the client. */
export interface Activity {
  begun(): void;
  moved(): void;
}

/** One request on its way to a pod. */
export interface Waiting {
  readonly revision: RevisionPods;
  readonly arrivedMs: number;
  /** Made when first asked for: a warm request never asks. Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** Bytes of body that holding it may keep in memory. */
  readonly bodyBytes: number;
  /** The route's own limit, from arrival; what is left of it when the request goes out. */
  timeoutMs: number | undefined;
  /** Out: the pod that was tried last, so that bad news can name it. */
  tried: PodAddress | undefined;
  /** Out: how long it was held. */
  heldMs: number | undefined;
  /** Out: it waited for the start of the pod that took it. */
  cold: boolean;
  watch(activity: Activity): void;
  /** Takes it from the pod it is with. False when no pod has it yet. */
  cut(): boolean;
}

export type Limit = "timeoutSeconds" | "responseStartTimeoutSeconds" | "idleTimeoutSeconds" | "route timeout";

export type Admitted =
  | Forwarded
  | { readonly outcome: "noPod"; readonly because: string }
  /** No place left to wait in. */
  | { readonly outcome: "queueFull"; readonly because: string }
  /** One of the limits has passed; `begun` when the client had a part of an answer by then. */
  | {
      readonly outcome: "late";
      readonly limit: Limit;
      readonly ms: number;
      readonly held: boolean;
      readonly begun: boolean;
    };

/** Says once what became of it, maybe before it returns. */
export type Attempt = (waiting: Waiting, target: PodAddress, done: (forwarded: Forwarded) => void) => void;

/** Whoever wants to know what became of a request: one of the two is called, once. */
export interface Asker {
  settle(admitted: Admitted): void;
  /** Ours, not the request's. */
  fail(bug: unknown): void;
}
