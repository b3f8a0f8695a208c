export interface ProbeTarget {
  readonly host: string;
  readonly visibility: "external" | "local";
  /** The configuration the answer must come from; undefined accepts any. */
  readonly hash: string | undefined;
}

export type Probed =
  | { readonly outcome: "ready" }
  | { readonly outcome: "notReady"; readonly because: string };

/** Asks the gateway itself, over the wire, whether it serves a host by now (knative-serving.md, section 7.3). */
export interface IngressProber {
  probe(target: ProbeTarget): Promise<Probed>;
}
