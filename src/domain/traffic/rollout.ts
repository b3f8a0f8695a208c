/**
 * Moves traffic to a new latest Revision little by little (knative-serving.md, section 4.6). The state between two
 * looks is a value that the caller keeps; each function takes it and answers with the next.
 */
import type { Groups } from "./groups.js";

export interface RevisionRollout {
  readonly revisionName: string;
  readonly percent: number;
}

/** How one Configuration's latest Revision comes to its percent under one tag. */
export interface ConfigurationRollout {
  readonly configurationName: string;
  readonly tag: string;
  readonly percent: number;
  /** Oldest first; the last is where everything goes. */
  readonly revisions: readonly RevisionRollout[];
  readonly startedMs?: number;
  /** These three are known once the gateway has shown how long one step takes it. */
  readonly nextStepMs?: number;
  readonly stepDurationMs?: number;
  readonly stepSize?: number;
}

/** Sorted by tag, then Configuration. */
export type Rollout = readonly ConfigurationRollout[];

/** Everything at its goal at once. */
export function goalOf(groups: Groups): Rollout {
  return [...groups]
    .flatMap(([tag, targets]) =>
      targets.flatMap(({ configurationName, revisionName, percent }) =>
        configurationName === undefined || percent === 0
          ? []
          : [{ configurationName, tag, percent, revisions: [{ revisionName, percent }] }],
      ),
    )
    .sort((a, b) => compare(a.tag, b.tag) || compare(a.configurationName, b.configurationName));
}

export interface Moment {
  readonly nowMs: number;
  /** The gateway serves the last step; until it does, no further one is taken. */
  readonly confirmed: boolean;
  readonly durationSeconds: number;
  readonly exists: (revisionName: string) => boolean;
}

/** One look: what the gateway shall do next on the way from where it is to the goal. */
export function advance(goal: Rollout, before: Rollout, moment: Moment): Rollout {
  if (moment.durationSeconds <= 0) return goal;
  return goal.map((one) => {
    const was = rolloutOf(before, one.tag, one.configurationName);
    return was === undefined ? one : advanceOne(one, withoutGone(was, moment.exists), moment);
  });
}

export function rolloutOf(
  rollout: Rollout,
  tag: string,
  configurationName: string | undefined,
): ConfigurationRollout | undefined {
  return rollout.find((one) => one.tag === tag && one.configurationName === configurationName);
}

export function isGradual(rollout: Rollout): boolean {
  return rollout.some(({ revisions }) => revisions.length > 1);
}

export function nextStepMs(rollout: Rollout): number | undefined {
  const moments = rollout.flatMap((one) => one.nextStepMs ?? []);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

function advanceOne(
  goal: ConfigurationRollout,
  was: ConfigurationRollout,
  moment: Moment,
): ConfigurationRollout {
  const [newest] = goal.revisions;
  // One percent cannot be divided.
  if (newest === undefined || was.revisions.length === 0 || goal.percent <= 1) return goal;
  const revisions = rebalanced(was.revisions, goal.percent);
  const last = revisions.at(-1);
  if (last?.revisionName !== newest.revisionName) {
    const begun = withNewest(revisions, newest.revisionName);
    return begun.length < 2 ? goal : { ...goal, revisions: begun, startedMs: moment.nowMs };
  }
  if (revisions.length < 2) return goal;
  const size = was.stepSize === undefined ? {} : { stepSize: Math.min(was.stepSize, goal.percent) };
  const unpaced = { ...was, ...goal, ...size, revisions };
  if (!moment.confirmed) return unpaced;
  const paced = withPace(unpaced, moment);
  const { nextStepMs: dueMs, stepSize = 1, stepDurationMs = 0 } = paced;
  if (dueMs === undefined || moment.nowMs < dueMs) return paced;
  const moved = stepped(revisions, stepSize);
  if (moved.length < 2) return goal;
  return { ...paced, revisions: moved, nextStepMs: moment.nowMs + stepDurationMs };
}

/** The first one percent told how long the gateway needs for a step; the rest of the time is cut into such steps. */
function withPace(rollout: ConfigurationRollout, { nowMs, durationSeconds }: Moment): ConfigurationRollout {
  const { startedMs = nowMs, stepDurationMs, percent } = rollout;
  if (stepDurationMs !== undefined) return rollout;
  const shortestSeconds = Math.max(1, Math.ceil((nowMs - startedMs) / 1000));
  const leftSeconds = Math.max(1, durationSeconds - shortestSeconds);
  const steps = Math.min(Math.max(1, leftSeconds / shortestSeconds), percent - 1);
  const durationMs = Math.round((leftSeconds / steps) * 1000);
  return {
    ...rollout,
    stepSize: Math.round((percent - 1) / steps),
    stepDurationMs: durationMs,
    nextStepMs: nowMs + durationMs,
  };
}

/** A Revision that is gone can serve nothing: what it had goes to the newest. */
function withoutGone(
  rollout: ConfigurationRollout,
  exists: (revisionName: string) => boolean,
): ConfigurationRollout {
  const revisions = rollout.revisions.filter((one) => exists(one.revisionName));
  if (revisions.length === rollout.revisions.length) return rollout;
  return { ...rollout, revisions: revisions.length === 0 ? [] : rebalanced(revisions, rollout.percent) };
}

/** More goes to the newest, less is taken from the oldest. */
function rebalanced(revisions: readonly RevisionRollout[], percent: number): readonly RevisionRollout[] {
  const has = revisions.reduce((sum, one) => sum + one.percent, 0);
  if (has <= percent) return grown(revisions, percent - has);
  let excess = has - percent;
  return revisions.flatMap((one) => {
    const less = Math.min(excess, one.percent);
    excess -= less;
    return one.percent === less ? [] : [{ ...one, percent: one.percent - less }];
  });
}

/** The first percent comes from the newest that has any; a Revision that comes back keeps what it had. */
function withNewest(revisions: readonly RevisionRollout[], name: string): readonly RevisionRollout[] {
  const had = revisions.find((one) => one.revisionName === name)?.percent ?? 0;
  const others = revisions.filter((one) => one.revisionName !== name);
  if (had > 0) return [...others, { revisionName: name, percent: had }];
  return [...drained(others, 1), { revisionName: name, percent: 1 }];
}

function stepped(revisions: readonly RevisionRollout[], size: number): readonly RevisionRollout[] {
  const older = revisions.slice(0, -1);
  const kept = drained(older, size);
  const moved = sum(older) - sum(kept);
  return [...kept, ...grown(revisions.slice(-1), moved)];
}

/** Takes from the newest first and drops what has nothing left. */
function drained(revisions: readonly RevisionRollout[], percent: number): readonly RevisionRollout[] {
  let left = percent;
  return revisions
    .toReversed()
    .flatMap((one) => {
      const less = Math.min(left, one.percent);
      left -= less;
      return one.percent === less ? [] : [{ ...one, percent: one.percent - less }];
    })
    .toReversed();
}

function grown(revisions: readonly RevisionRollout[], percent: number): readonly RevisionRollout[] {
  return revisions.map((one, index) =>
    index === revisions.length - 1 ? { ...one, percent: one.percent + percent } : one,
  );
}

function sum(revisions: readonly RevisionRollout[]): number {
  return revisions.reduce((total, one) => total + one.percent, 0);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
