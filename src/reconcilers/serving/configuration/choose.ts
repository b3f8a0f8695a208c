// Which Revision answers the present wish, and which one Routes send traffic to (knative-serving.md, section 4.1).
import { isReady } from "../../../domain/apis/meta/judgement.js";
import type { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import type { Revision } from "../../../domain/apis/serving/revision.types.js";
import { revisionName } from "./make.js";

export type Present =
  | { readonly outcome: "found"; readonly revision: Revision }
  | { readonly outcome: "missing" | "deleted" | "conflict"; readonly name: string };

/** The Revision of this generation. `named` is what is there under the name it has or would be given. */
export function presentRevision(
  configuration: Configuration,
  mine: readonly Revision[],
  named: Revision | undefined,
): Present {
  const name = revisionName(configuration);
  const generation = configuration.metadata.generation ?? 1;
  const isNamed = Boolean(configuration.spec.template?.metadata?.name);
  const found = isNamed ? named : (mine.find((one) => generationOf(one) === generation) ?? named);
  if (found === undefined) {
    const { status } = configuration;
    const wasThere = status?.latestCreatedRevisionName === name && status.observedGeneration === generation;
    return { outcome: wasThere ? "deleted" : "missing", name };
  }
  if (!mine.includes(found)) return { outcome: "conflict", name };
  // An earlier Revision of the same name and content is what a rollback by name asks for.
  const answers = generationOf(found) === generation || sameWish(found, configuration);
  return answers ? { outcome: "found", revision: found } : { outcome: "conflict", name };
}

/**
 * The newest ready Revision that is not older than the one that has the traffic now; one that is asked for by name
 * comes first. A latest ready Revision that ails stays the latest ready one: there is nothing better to send traffic to.
 */
export function latestReadyName(configuration: Configuration, mine: readonly Revision[]): string | undefined {
  const current = mine.find((one) => one.metadata.name === configuration.status?.latestReadyRevisionName);
  const oldest = current === undefined ? 0 : generationOf(current);
  const asked = configuration.spec.template?.metadata?.name;
  const candidates = mine
    .filter((one) => generationOf(one) >= oldest || one.metadata.name === asked)
    .sort((a, b) => generationOf(b) - generationOf(a));
  const byName = candidates.find((one) => one.metadata.name === asked);
  const ready = [...(byName === undefined ? [] : [byName]), ...candidates].find(isReady);
  return (ready ?? current)?.metadata.name;
}

function generationOf(revision: Revision): number {
  return Number(revision.metadata.labels?.[serving.configurationGeneration] ?? 0);
}

// A Revision is given its service links when it is made; a template that is updated says nothing of them.
function sameWish({ spec }: Revision, configuration: Configuration): boolean {
  const wish = configuration.spec.template?.spec;
  const enableServiceLinks = wish?.enableServiceLinks ?? spec.enableServiceLinks;
  return JSON.stringify(sorted(spec)) === JSON.stringify(sorted({ ...wish, enableServiceLinks }));
}

// Members in one order, so that equal wishes read the same.
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}
