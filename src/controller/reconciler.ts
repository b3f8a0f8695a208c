// What a reconciler is to the frame that runs it.
import type { Kind, Resource } from "../domain/apis/kind.js";
import type { Judgement } from "../domain/apis/meta/judgement.js";
import type { Client, Clock, Key, Listers, Random, Recorder } from "../ports/index.js";

/** What every reconciler is given. */
export interface Deps {
  readonly client: Client;
  readonly listers: Listers;
  readonly clock: Clock;
  readonly random: Random;
  readonly recorder: Recorder;
}

/** Where a reconciler reports. The frame writes it, once, and only if something changed. */
export interface StatusReport {
  mark(condition: string, verdict: Judgement): void;
  /** The verdict as marked in this round, or as it stands from earlier ones. */
  get(condition: string): Judgement | undefined;
  /** Forgets a condition that no longer applies. */
  clear(condition: string): void;
  /** Other members of status; undefined removes one. */
  set(fields: { readonly [field: string]: unknown }): void;
}

export interface Outcome {
  /** A moment that merely passes sends no event, so ask to be woken for it. */
  readonly requeueAfterMs?: number | undefined;
}

export interface Reconciler<T extends Resource = Resource> {
  readonly kind: Kind<T>;
  /** Without them the kind has no conditions of this sort. */
  readonly conditions?: {
    /** In causal order: the first False is the cause. */
    readonly ready: readonly string[];
    /** Those of `ready` that count only for objects they pertain to, which is once they are marked. */
    readonly ifMarked?: readonly string[];
    /** Told, and never counted for Ready. */
    readonly info?: readonly string[];
  };
  /** Kinds whose objects wake their controlling owner. */
  readonly owns?: readonly Kind[];
  /** Other kinds, and whom each of their objects wakes. */
  readonly watches?: readonly Watch[];
  /** Those of its objects that are ours to tend; others are somebody else's, status and all. All of them unless said. */
  readonly isOurs?: (object: T) => boolean;
  /** What else wakes objects, that is no object itself. */
  readonly wokenBy?: (wake: (key: Key) => void) => void;
  /** The key's object is gone, or was never there: whatever is remembered of it may go. */
  forget?(key: Key): void;
  /** Held on the object until `finalize` has run. */
  readonly finalizer?: string;
  reconcile(object: T, status: StatusReport): Promise<Outcome | undefined | void>;
  finalize?(object: T): Promise<void>;
  /** In place of `finalize`, for a kind whose leaving takes several looks and is told in status. */
  leave?(object: T, status: StatusReport): Promise<Outcome | undefined | void>;
}

export interface Watch {
  readonly kind: Kind;
  readonly wakes: (object: Resource) => readonly Key[];
  /** What is made of it is only told, and nobody waits for it: it may come a moment later, for several changes at once. */
  readonly isNews?: boolean;
  /** This change may be what a request waits for: its round is never put off. */
  readonly isUrgent?: (object: Resource, old: Resource | undefined) => boolean;
}

/** Keeps inference for the watched kind, and forgets it for the list. */
export function watch<T extends Resource>(
  kind: Kind<T>,
  wakes: (object: T) => readonly Key[],
  more: Pick<Watch, "isNews"> & { readonly isUrgent?: (object: T, old: T | undefined) => boolean } = {},
): Watch {
  return { kind, wakes, ...more } as unknown as Watch;
}

export function asKind<T extends Resource>(kind: Kind<T>): Kind {
  return kind as unknown as Kind;
}
