/** From what a Route asks for to the Revisions that get the traffic (knative-serving.md, sections 2.2 and 4.3). */
import { conditionOf, isReady, type Judgement, no, unknown, yes } from "../apis/meta/judgement.js";
import type { Configuration } from "../apis/serving/configuration.types.js";
import type { Revision } from "../apis/serving/revision.types.js";
import type { TrafficTarget } from "../apis/serving/traffic.types.js";

export interface Share {
  readonly revisionName: string;
  readonly percent: number;
  readonly tag: string | undefined;
  readonly latestRevision: boolean;
}

export interface ResolvedTraffic {
  /** In spec order; targets that could not be resolved are left out. */
  readonly shares: readonly Share[];
  readonly verdict: Judgement;
}

export interface Lookup {
  configuration(name: string): Configuration | undefined;
  revision(name: string): Revision | undefined;
}

type Target = { readonly share: Share } | { readonly problem: Judgement };

export function resolveTraffic(traffic: readonly TrafficTarget[], lookup: Lookup): ResolvedTraffic {
  const targets = traffic.map((target) => resolveTarget(target, lookup));
  const shares = targets.flatMap((one) => ("share" in one ? [one.share] : []));
  const problems = targets.flatMap((one) => ("problem" in one ? [one.problem] : []));
  // With several bad targets the last failing one speaks, else the first that is pending.
  const verdict = problems.findLast((one) => one.status === "False") ?? problems[0] ?? yes;
  return { shares, verdict };
}

function resolveTarget(target: TrafficTarget, lookup: Lookup): Target {
  if (target.revisionName) return resolveRevision(target, target.revisionName, lookup);
  const name = target.configurationName ?? "";
  const configuration = lookup.configuration(name);
  if (configuration === undefined) {
    return {
      problem: no("ConfigurationMissing", `Configuration "${name}" referenced in traffic not found.`),
    };
  }
  const latest = configuration.status?.latestReadyRevisionName;
  if (latest === undefined) {
    return {
      problem:
        conditionOf(configuration, "Ready")?.status === "False"
          ? no("RevisionMissing", `Configuration "${name}" does not have any ready Revision.`)
          : unknown("RevisionMissing", `Configuration "${name}" is waiting for a Revision to become ready.`),
    };
  }
  return resolveRevision(target, latest, lookup);
}

function resolveRevision(target: TrafficTarget, name: string, lookup: Lookup): Target {
  const revision = lookup.revision(name);
  if (revision === undefined) {
    return { problem: no("RevisionMissing", `Revision "${name}" referenced in traffic not found.`) };
  }
  const latestRevision = !target.revisionName;
  // The latest ready Revision keeps its traffic even while it ails: there is nothing better to send it to.
  if (!isReady(revision) && !latestRevision) {
    return {
      problem:
        conditionOf(revision, "Ready")?.status === "False"
          ? no("RevisionMissing", `Revision "${name}" failed to become ready.`)
          : unknown("RevisionMissing", `Revision "${name}" is not yet ready.`),
    };
  }
  return {
    share: { revisionName: name, percent: target.percent ?? 0, tag: target.tag || undefined, latestRevision },
  };
}

/** What each host of a Route serves: the default group under "", each tag under its name; shares of one Revision add up. */
export function groupsOf(shares: readonly Share[]): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const groups = new Map<string, Map<string, number>>([["", new Map()]]);
  for (const { tag, revisionName, percent } of shares) {
    const fallback = groups.get("");
    if (percent > 0) fallback?.set(revisionName, (fallback.get(revisionName) ?? 0) + percent);
    if (tag === undefined) continue;
    const group = groups.get(tag) ?? new Map<string, number>();
    group.set(revisionName, (group.get(revisionName) ?? 0) + percent);
    groups.set(tag, group);
  }
  for (const group of groups.values()) {
    const [only] = group.keys();
    if (group.size === 1 && only !== undefined) group.set(only, 100);
  }
  return groups;
}
