// What a PodAutoscaler says of itself, row by row (knative-serving.md, section 5.5 "Status").
import { type Judgement, no, unknown, yes } from "../apis/meta/judgement.js";
import type { ScalingSettings } from "./settings.js";

/** How many pods must be ready for it to be active: all of the first ones at first, at least one later. */
export function leastReady(settings: ScalingSettings, initialized: boolean): number {
  const { reachable, initialScale, maxScale } = settings;
  const min = reachable ? settings.minScale : 0;
  return Math.min(Math.max(min, initialized ? 1 : initialScale), maxScale);
}

/** `want` is -1 while nothing new is wished. */
export function judgeActive(
  want: number,
  ready: number,
  least: number,
  before: Judgement | undefined,
): Judgement {
  const was = before?.status ?? "Unknown";
  if (want === 0 || least === 0) {
    // Given up, and nobody has asked since: the next look must not call that an idle one.
    if (was === "False" && before?.reason === "TimedOut") return timedOut;
    return was === "Unknown" && least > 0 ? timedOut : noTraffic;
  }
  if (ready < least) {
    if (want > 0 || was !== "False") return queued;
    return before?.reason === "TimedOut" ? timedOut : noTraffic;
  }
  return want > 0 || was !== "False" ? yes : (before ?? noTraffic);
}

const timedOut = no("TimedOut", "The target could not be activated.");
const noTraffic = no("NoTraffic", "The target is not receiving traffic.");
const queued = unknown("Queued", "Requests to the target are being buffered as resources are provisioned.");
