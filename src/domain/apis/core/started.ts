/**
 * The pod condition in which our kubelet says how long the steps of a pod's first start took, in milliseconds:
 * `decide=3 create=1 files=6 sandbox=2 load=4 probe=1`.
 */
export const startedCondition = "drydock.dev/Started";

/** In the order in which they happen. */
export const startPhases = ["decide", "create", "files", "sandbox", "load", "probe"] as const;

export type StartPhase = (typeof startPhases)[number];

/** What each of them is. */
export const startPhaseHelp: { readonly [phase in StartPhase]: string } = {
  decide: "from the first request for a sleeping Revision until the node has seen the pod made for it",
  create: "seen by the node until ports and volumes are there",
  files: "init containers, the one that fetches the model among them",
  sandbox: "until the process runs",
  load: "until it listens, its model loaded",
  probe: "until it has said that it is ready",
};

/** Only a pod that a request waited for was decided on by one. */
export type StartTimes = { readonly [phase in Exclude<StartPhase, "decide">]: number } & {
  readonly decide?: number;
};

export function startedMessage(times: StartTimes): string {
  return startPhases
    .flatMap((phase) => (times[phase] === undefined ? [] : [`${phase}=${times[phase]}`]))
    .join(" ");
}

/** What a message says; phases that it does not name are left out. */
export function readStarted(message: string): readonly { readonly phase: StartPhase; readonly ms: number }[] {
  return startPhases.flatMap((phase) => {
    const ms = new RegExp(`(?:^| )${phase}=(\\d+(?:\\.\\d+)?)(?: |$)`).exec(message)?.[1];
    return ms === undefined ? [] : [{ phase, ms: Number(ms) }];
  });
}
