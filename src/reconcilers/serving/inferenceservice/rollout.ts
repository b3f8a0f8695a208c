/** Which revision of the predictor gets how much, and what rolled out before (kserve.md, section 2.6). */
import type {
  ComponentStatus,
  InferenceService,
} from "../../../domain/apis/kserve/inferenceService.types.js";
import { kserve } from "../../../domain/apis/serving/keys.js";
import type { TrafficTarget } from "../../../domain/apis/serving/traffic.types.js";

export function trafficOf(
  service: InferenceService,
  { latestRolledoutRevision }: ComponentStatus,
): readonly TrafficTarget[] {
  const percent = service.spec.predictor.canaryTrafficPercent;
  const tag = service.metadata.annotations?.[kserve.enableTagRouting] === "true" ? { tag: "latest" } : {};
  if (percent === undefined || latestRolledoutRevision === undefined)
    return [{ latestRevision: true, percent: 100, ...tag }];
  const latest = { latestRevision: true, percent, ...tag };
  if (percent >= 100) return [latest];
  return [
    latest,
    { revisionName: latestRolledoutRevision, latestRevision: false, percent: 100 - percent, tag: "prev" },
  ];
}

/** Remembers the revision that had all the traffic, so that a canary has something to go back to. */
export function withRollout(now: ComponentStatus, before: ComponentStatus): ComponentStatus {
  const { latestReadyRevision, latestCreatedRevision, traffic = [] } = now;
  const latest = traffic.find(
    (target) => target.latestRevision === true && target.revisionName === latestReadyRevision,
  );
  if (latest === undefined || latestReadyRevision === undefined) return now;
  const { latestRolledoutRevision, previousRolledoutRevision } = before;
  if (latestRolledoutRevision !== latestReadyRevision && latest.percent === 100) {
    return {
      ...now,
      latestRolledoutRevision: latestReadyRevision,
      ...(latestRolledoutRevision === undefined
        ? {}
        : { previousRolledoutRevision: latestRolledoutRevision }),
    };
  }
  const whole = traffic
    .filter((target) => target.revisionName === latestReadyRevision)
    .reduce((sum, target) => sum + (target.percent ?? 0), 0);
  const rollsBack =
    latestRolledoutRevision === latestReadyRevision &&
    latestReadyRevision === latestCreatedRevision &&
    (latest.percent ?? 0) < 100 &&
    whole === 100;
  return rollsBack && previousRolledoutRevision
    ? { ...now, latestRolledoutRevision: previousRolledoutRevision }
    : now;
}
