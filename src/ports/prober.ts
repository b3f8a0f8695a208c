export interface ProbeTarget {
  readonly host: string;
  readonly visibility: "external" | "local";
  /** The configuration the answer must come from; undefined accepts any. */
  readonly hash: string | undefined;
}

export interface ProbeQuestion {
  /** Whose routes these are: `KIND NAMESPACE/NAME`. */
  readonly owner: string;
  /** What was configured. What has been proven stays so while this is the same. */
  readonly version: string;
  /** What stands before the routes, in one word; empty when nothing does. It reaches the gateway on a way of its own. */
  readonly guarded: string;
  readonly targets: readonly ProbeTarget[];
}

/** `againMs`: when asking once more may tell something new. */
export type Probed =
  | { readonly outcome: "ready"; readonly againMs?: number | undefined }
  /** Something before these routes answered; whether they are there cannot be told (best effort). */
  | {
      readonly outcome: "inFront";
      readonly reason: string;
      readonly because: string;
      readonly againMs: number;
    }
  | { readonly outcome: "notReady"; readonly because: string; readonly againMs: number };

/** Asks the gateway itself, over the wire, whether it serves hosts by now (knative-serving.md, section 7.3). */
export interface IngressProber {
  probe(question: ProbeQuestion): Promise<Probed>;
}
