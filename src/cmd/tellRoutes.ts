// What could not be routed, told to those who wrote it: as Events on their objects, and in the log.
import type { RouteProblem } from "../dataplane/index.js";
import { Gateway } from "../domain/apis/istio/gateway.types.js";
import { VirtualService } from "../domain/apis/istio/virtualService.types.js";
import type { Resource } from "../domain/apis/kind.js";
import type { Clock, Listers, Log, Recorder } from "../ports/index.js";

export interface RouteTellerOptions {
  readonly listers: Listers;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
}

/** What shows in combination only often passes by itself: the other object is on its way. */
const settleMs = 5_000;
const atOnce: ReadonlySet<RouteProblem["reason"]> = new Set([
  "InvalidField",
  "UnsupportedField",
  "CertificateUnusable",
]);

/** Called with all the problems there are after each compilation; each is told once as long as it lasts. */
export function routeTeller({ listers, recorder, clock, log }: RouteTellerOptions) {
  const standing = new Map<string, () => void>();

  function tell(problem: RouteProblem): void {
    const { object, reason, message, keptPrevious } = problem;
    log.error("a route could not be compiled", { object, reason, message, keptPrevious });
    const [kind, key = ""] = object.split(" ");
    const [namespace = "", name = ""] = key.split("/");
    const found: Resource | undefined =
      kind === "Gateway"
        ? listers(Gateway).get({ namespace, name })
        : listers(VirtualService).get({ namespace, name });
    const kept = keptPrevious ? "; what was last good goes on serving" : "";
    if (found !== undefined) recorder.event(found, "Warning", reason, message + kept);
  }

  return (problems: readonly RouteProblem[]): void => {
    const now = new Set<string>();
    for (const problem of problems) {
      const key = JSON.stringify(problem);
      now.add(key);
      if (standing.has(key)) continue;
      if (atOnce.has(problem.reason)) {
        standing.set(key, () => {});
        tell(problem);
      } else
        standing.set(
          key,
          clock.after(settleMs, () => tell(problem)),
        );
    }
    for (const [key, stop] of standing) {
      if (now.has(key)) continue;
      stop();
      standing.delete(key);
    }
  };
}
