/** What each host of a Route serves, and how status tells it (knative-serving.md, sections 4.3 and 4.6). */
import type { Share } from "./resolve.js";
import { type Rollout, rolloutOf } from "./rollout.js";

/** One target of one host. */
export interface GroupTarget {
  readonly revisionName: string;
  readonly percent: number;
  /** Whose latest Revision it follows; undefined when the Revision is pinned. */
  readonly configurationName: string | undefined;
}

/** By tag; the Route's own host is under "", which is always there. */
export type Groups = ReadonlyMap<string, readonly GroupTarget[]>;

/** Every share goes to the Route's own host, a tagged one also to its tag's; shares of one Revision add up. */
export function groupsOf(shares: readonly Share[]): Groups {
  const groups = new Map<string, readonly GroupTarget[]>([["", []]]);
  for (const { tag, ...target } of shares) {
    if (target.percent > 0) groups.set("", joined(groups.get("") ?? [], target));
    if (tag !== undefined) groups.set(tag, joined(groups.get(tag) ?? [], target));
  }
  return new Map([...groups].map(([tag, targets]) => [tag, alone(targets)]));
}

function joined(targets: readonly GroupTarget[], more: GroupTarget): readonly GroupTarget[] {
  const { revisionName, percent, configurationName } = more;
  const at = targets.findIndex(
    (one) => one.revisionName === revisionName && one.configurationName === configurationName,
  );
  const known = targets[at];
  return known === undefined
    ? [...targets, { revisionName, percent, configurationName }]
    : targets.with(at, { ...known, percent: known.percent + percent });
}

/** A host with one target gives it everything: the host of a tag of 0 % serves that tag. */
function alone(targets: readonly GroupTarget[]): readonly GroupTarget[] {
  const [only] = targets;
  return only !== undefined && targets.length === 1 ? [{ ...only, percent: 100 }] : targets;
}

/** What one host sends to each Revision now, a rollout under way included. */
export function splitOf(
  tag: string,
  targets: readonly GroupTarget[],
  rollout: Rollout,
): ReadonlyMap<string, number> {
  const split = new Map<string, number>();
  const give = (name: string, percent: number) => {
    if (percent > 0) split.set(name, (split.get(name) ?? 0) + percent);
  };
  for (const target of targets) {
    const under = rolloutOf(rollout, tag, target.configurationName);
    if (under === undefined) give(target.revisionName, target.percent);
    else for (const { revisionName, percent } of under.revisions) give(revisionName, percent);
  }
  return split;
}

/** The lines of status.traffic in spec order; what is rolling out has a line for each of its Revisions. */
export function statusShares(shares: readonly Share[], rollout: Rollout): readonly Share[] {
  const pools = new Map<string, { revisionName: string; percent: number }[]>();
  const poolOf = (name: string) => {
    const known = pools.get(name);
    if (known !== undefined) return known;
    const revisions = rolloutOf(rollout, "", name)?.revisions ?? [];
    const pool = revisions.map((one) => ({ ...one }));
    pools.set(name, pool);
    return pool;
  };
  return merged(
    shares.flatMap((share) => {
      const pool = share.configurationName === undefined ? [] : poolOf(share.configurationName);
      return pool.length < 2 || share.percent === 0 ? [share] : taken(share, pool);
    }),
  );
}

/** Several lines may follow one Configuration, so each takes its part of what the rollout gives out, newest first. */
function taken(share: Share, pool: { revisionName: string; percent: number }[]): readonly Share[] {
  const lines: Share[] = [];
  let left = share.percent;
  for (const one of pool.toReversed()) {
    const percent = Math.min(left, one.percent);
    if (percent === 0) continue;
    one.percent -= percent;
    left -= percent;
    const { revisionName } = one;
    lines.unshift({ ...share, revisionName, percent, latestRevision: revisionName === share.revisionName });
  }
  return lines;
}

function merged(shares: readonly Share[]): readonly Share[] {
  const lines: Share[] = [];
  for (const share of shares) {
    const at = lines.findIndex(
      (line) =>
        line.tag === share.tag &&
        line.revisionName === share.revisionName &&
        line.latestRevision === share.latestRevision,
    );
    const line = lines[at];
    if (line === undefined) lines.push(share);
    else lines[at] = { ...line, percent: line.percent + share.percent };
  }
  return lines;
}
