// Which Revisions nobody needs any more (config-gc; knative-serving.md, section 4.7).
import type { GcConfig } from "../../../domain/apis/config/index.js";
import type { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import type { Revision } from "../../../domain/apis/serving/revision.types.js";

export interface Retirement {
  readonly revisions: readonly Revision[];
  /** When the next of them will have grown old, should nothing else happen. */
  readonly lookAgainInMs: number | undefined;
}

export function retire(
  configuration: Configuration,
  mine: readonly Revision[],
  gc: GcConfig,
  nowMs: number,
): Retirement {
  const { retainSinceCreateTimeMs: created, retainSinceLastActiveTimeMs: active } = gc;
  const most = gc.maxNonActiveRevisions;
  const none: Retirement = { revisions: [], lookAgainInMs: undefined };
  if (created === undefined && active === undefined && most === undefined) return none;
  const least = gc.minNonActiveRevisions;
  const idle = mine
    .filter((revision) => isIdle(revision, configuration))
    .sort((a, b) => lastActiveMs(a) - lastActiveMs(b));
  if (mine.length <= least || idle.length <= least) return none;

  const staleInMs = (revision: Revision): number =>
    created === undefined && active === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(
          created === undefined ? 0 : createdMs(revision) + created - nowMs,
          active === undefined ? 0 : lastActiveMs(revision) + active - nowMs,
          0,
        );
  const stale = idle.filter((revision) => staleInMs(revision) === 0).slice(0, idle.length - least);
  const left = idle.filter((revision) => !stale.includes(revision));
  const surplus = most === undefined ? [] : left.slice(0, Math.max(0, left.length - most));
  const kept = left.filter((revision) => !surplus.includes(revision));
  const nextMs = kept.length <= least ? Number.POSITIVE_INFINITY : Math.min(...kept.map(staleInMs));
  return {
    revisions: [...stale, ...surplus],
    lookAgainInMs: Number.isFinite(nextMs) ? nextMs : undefined,
  };
}

/** No Route wants it, it is neither the latest ready nor the latest made, and nobody asked to keep it. */
function isIdle({ metadata }: Revision, { status }: Configuration): boolean {
  return (
    metadata.labels?.[serving.routingState] === "reserve" &&
    metadata.name !== status?.latestReadyRevisionName &&
    metadata.name !== status?.latestCreatedRevisionName &&
    metadata.annotations?.[serving.noGc]?.toLowerCase() !== "true"
  );
}

function createdMs({ metadata }: Revision): number {
  return Date.parse(metadata.creationTimestamp ?? "") || 0;
}

function lastActiveMs(revision: Revision): number {
  return (
    Date.parse(revision.metadata.annotations?.[serving.routingStateModified] ?? "") || createdMs(revision)
  );
}
