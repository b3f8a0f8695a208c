/** A rollout's state as the annotation of a KIngress carries it: upstream's own JSON, times in nanoseconds. */
import type { ConfigurationRollout, RevisionRollout, Rollout } from "./rollout.js";

const nsPerMs = 1e6;

export function writeRollout(rollout: Rollout): string {
  const configurations = rollout.map((one) => ({
    configurationName: one.configurationName,
    ...(one.tag === "" ? {} : { tag: one.tag }),
    percent: one.percent,
    revisions: one.revisions.map(({ revisionName, percent }) => ({ revisionName, percent })),
    stepParams: {
      ...(one.startedMs === undefined ? {} : { starttime: one.startedMs * nsPerMs }),
      ...(one.nextStepMs === undefined ? {} : { nextStepTime: one.nextStepMs * nsPerMs }),
      ...(one.stepDurationMs === undefined ? {} : { stepDuration: one.stepDurationMs * nsPerMs }),
      ...(one.stepSize === undefined ? {} : { stepSize: one.stepSize }),
    },
  }));
  return JSON.stringify(configurations.length === 0 ? {} : { configurations });
}

/** What does not add up is as if it were not there: the next look goes straight to the goal. */
export function readRollout(text: string | undefined): Rollout {
  if (text === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [];
  }
  const listed = member(parsed, "configurations");
  const read = Array.isArray(listed) ? listed.map(readOne) : [];
  const valid = read.filter((one) => one !== undefined);
  return valid.length === read.length ? valid : [];
}

function readOne(value: unknown): ConfigurationRollout | undefined {
  const configurationName = member(value, "configurationName");
  const tag = member(value, "tag") ?? "";
  const percent = whole(member(value, "percent"));
  const listed = member(value, "revisions") ?? [];
  if (typeof configurationName !== "string" || typeof tag !== "string" || !Array.isArray(listed))
    return undefined;
  const revisions = listed.map(readRevision).filter((one) => one !== undefined);
  const params = member(value, "stepParams");
  const stepSize = whole(member(params, "stepSize")) || undefined;
  const total = revisions.reduce((sum, one) => sum + one.percent, 0);
  if (revisions.length !== listed.length || percent > 100 || total !== percent) return undefined;
  if (stepSize !== undefined && (stepSize < 0 || stepSize > percent)) return undefined;
  const startedMs = millis(member(params, "starttime"));
  const nextStepMs = millis(member(params, "nextStepTime"));
  const stepDurationMs = millis(member(params, "stepDuration"));
  return {
    configurationName,
    tag,
    percent,
    revisions,
    ...(startedMs === undefined ? {} : { startedMs }),
    ...(nextStepMs === undefined ? {} : { nextStepMs }),
    ...(stepDurationMs === undefined ? {} : { stepDurationMs }),
    ...(stepSize === undefined ? {} : { stepSize }),
  };
}

function readRevision(value: unknown): RevisionRollout | undefined {
  const revisionName = member(value, "revisionName");
  const percent = whole(member(value, "percent"));
  return typeof revisionName === "string" && percent >= 0 ? { revisionName, percent } : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as { readonly [name: string]: unknown })[name]
    : undefined;
}

function whole(value: unknown): number {
  return Number.isInteger(value) ? (value as number) : 0;
}

function millis(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? Math.round(value / nsPerMs) : undefined;
}
