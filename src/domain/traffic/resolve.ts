/** From what a Route asks for to the Revisions that get the traffic (knative-serving.md, sections 2.2 and 4.3). */
import { conditionOf, isReady, type Judgement, no, unknown, yes } from "../apis/meta/judgement.js";
import type { Configuration } from "../apis/serving/configuration.types.js";
import { serving } from "../apis/serving/keys.js";
import type { Revision } from "../apis/serving/revision.types.js";
import type { TrafficTarget } from "../apis/serving/traffic.types.js";

export interface Share {
  readonly revisionName: string;
  readonly percent: number;
  readonly tag: string | undefined;
  readonly latestRevision: boolean;
  /** Whose latest Revision it follows; undefined when the Revision is pinned. */
  readonly configurationName: string | undefined;
}

export interface ResolvedTraffic {
  /** In spec order; targets that could not be resolved are left out. */
  readonly shares: readonly Share[];
  readonly verdict: Judgement;
  /** Some target names what does not exist, in contrast to what is merely not ready. */
  readonly missing: boolean;
}

export interface Lookup {
  /** The Knative Service that the Route belongs to; its targets must belong to the same. */
  readonly service: string | undefined;
  configuration(name: string): Configuration | undefined;
  revision(name: string): Revision | undefined;
}

type Target = { readonly share: Share } | { readonly problem: Judgement; readonly missing: boolean };

export function resolveTraffic(traffic: readonly TrafficTarget[], lookup: Lookup): ResolvedTraffic {
  const targets = traffic.map((target) => resolveTarget(target, lookup));
  const shares = targets.flatMap((one) => ("share" in one ? [one.share] : []));
  const problems = targets.flatMap((one) => ("problem" in one ? [one] : []));
  // With several bad targets the last failing one speaks, else the first that is pending.
  const speaks = problems.findLast((one) => one.problem.status === "False") ?? problems[0];
  return { shares, verdict: speaks?.problem ?? yes, missing: problems.some((one) => one.missing) };
}

function resolveTarget(target: TrafficTarget, lookup: Lookup): Target {
  if (target.revisionName) return resolvePinned(target, target.revisionName, lookup);
  const name = target.configurationName ?? "";
  const configuration = lookup.configuration(name);
  if (configuration === undefined) return absent("Configuration", name);
  const latest = configuration.status?.latestReadyRevisionName;
  if (latest === undefined) {
    return problem(
      conditionOf(configuration, "Ready")?.status === "False"
        ? no("RevisionMissing", `Configuration '${name}' does not have a LatestReadyRevision.`)
        : unknown("RevisionMissing", `Configuration '${name}' is waiting for a Revision to become ready.`),
    );
  }
  // The latest ready Revision keeps its traffic even while it ails: there is nothing better to send it to.
  return lookup.revision(latest) === undefined ? absent("Revision", latest) : shareOf(target, latest, name);
}

function resolvePinned(target: TrafficTarget, name: string, lookup: Lookup): Target {
  const revision = lookup.revision(name);
  if (revision === undefined) return absent("Revision", name);
  const labels = revision.metadata.labels ?? {};
  if (lookup.service !== undefined && labels[serving.service] !== lookup.service) {
    return problem(no("RevisionNotOwned", belonging(name, labels[serving.service], lookup.service)));
  }
  const configuration = labels[serving.configuration];
  if (configuration !== undefined && lookup.configuration(configuration) === undefined)
    return absent("Configuration", configuration);
  if (isReady(revision)) return shareOf(target, name, undefined);
  return problem(
    conditionOf(revision, "Ready")?.status === "False"
      ? no("RevisionMissing", `Revision '${name}' failed to become ready.`)
      : unknown("RevisionMissing", `Revision '${name}' is not yet ready.`),
  );
}

function belonging(revision: string, actual: string | undefined, wanted: string): string {
  return actual === undefined
    ? `Revision '${revision}' does not belong to Service '${wanted}'.`
    : `Revision '${revision}' belongs to Service '${actual}', not Service '${wanted}'.`;
}

function shareOf(target: TrafficTarget, revisionName: string, configurationName: string | undefined): Target {
  return {
    share: {
      revisionName,
      percent: target.percent ?? 0,
      tag: target.tag || undefined,
      latestRevision: configurationName !== undefined,
      configurationName,
    },
  };
}

function problem(verdict: Judgement): Target {
  return { problem: verdict, missing: false };
}

// The words of the error-conditions document, quotes and all.
function absent(kind: "Configuration" | "Revision", name: string): Target {
  return {
    problem: no(`${kind}Missing`, `${kind} '${name}' referenced in traffic not found`),
    missing: true,
  };
}
