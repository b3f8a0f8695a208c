// What a Revision says about its requests: how many at once, and how long each may take.
import type { RevisionSettings } from "../activator/index.js";
import type { RevisionInput } from "./inputs.js";

/** Knative's own default, for Revisions that nobody defaulted. */
const defaultTimeoutSeconds = 300;

/** Settings that say the same are the same object, so that what was compiled with them can stay. */
export function revisionSettings(
  revisions: readonly RevisionInput[],
): (key: string, before: RevisionSettings | undefined) => RevisionSettings | undefined {
  const all = new Map<string, RevisionInput>();
  for (const revision of revisions)
    all.set(`${revision.metadata?.namespace ?? "default"}/${revision.metadata?.name ?? ""}`, revision);
  return (key, before) => {
    const revision = all.get(key);
    if (revision === undefined) return undefined;
    const now = read(revision);
    return before !== undefined && same(before, now) ? before : now;
  };
}

function read({ spec, status }: RevisionInput): RevisionSettings {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return {
    containerConcurrency: spec?.containerConcurrency ?? 0,
    timeoutMs: (spec?.timeoutSeconds || defaultTimeoutSeconds) * 1000,
    responseStartMs: msOf(spec?.responseStartTimeoutSeconds),
    idleMs: msOf(spec?.idleTimeoutSeconds),
    trouble:
      ready?.status === "False"
        ? [ready.reason, ready.message].filter((word) => word !== undefined && word !== "").join(": ")
        : undefined,
  };
}

/** 0 switches these off, as leaving them out does. */
function msOf(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1000;
}

function same(one: RevisionSettings, other: RevisionSettings): boolean {
  return (
    one.containerConcurrency === other.containerConcurrency &&
    one.timeoutMs === other.timeoutMs &&
    one.responseStartMs === other.responseStartMs &&
    one.idleMs === other.idleMs &&
    one.trouble === other.trouble
  );
}
