// LimitRanges: what containers and claims of a namespace may ask for, and what they ask for when they say nothing.
import type { PersistentVolumeClaim } from "../../../domain/apis/core/claim.types.js";
import { claimBreaches, limitBreaches, withLimitDefaults } from "../../../domain/apis/core/limitRange.js";
import type { LimitRange } from "../../../domain/apis/core/namespace.types.js";
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import { validatePod } from "../../../domain/apis/core/pod.validation.js";
import type { AdmissionContext, Resource } from "../../../domain/apis/kind.js";
import { forbidden, invalid } from "../../status.js";
import type { State } from "../state.js";
import { latestIn } from "./latest.js";
import type { Rule } from "./rule.js";

/** The pod with the namespace's defaults; throws where it oversteps a bound. */
export function withinLimits(
  pod: Pod & Resource,
  context: AdmissionContext<Resource>,
  state: State,
): Pod & Resource {
  const ranges = rangesOf(state, pod);
  if (ranges.length === 0) return pod;
  const filled = withLimitDefaults(pod, ranges) as Pod & Resource;
  for (const range of ranges) {
    const breach = limitBreaches(filled, range);
    if (breach !== undefined) {
      throw forbidden({ group: "", plural: "pods" }, pod.metadata.name, breach);
    }
  }
  // A default may stand below what the container itself asks for: then the two do not go together.
  const errors = filled === pod ? [] : validatePod(filled, context as AdmissionContext<Pod>);
  if (errors.length > 0) throw invalid({ group: "", kind: "Pod" }, pod.metadata.name, errors);
  return filled;
}

export const claimRule: Rule = {
  admit(object, { subresource }, state) {
    if (subresource !== "") return object;
    for (const range of rangesOf(state, object)) {
      const breach = claimBreaches(object as PersistentVolumeClaim, range);
      if (breach === undefined) continue;
      throw forbidden({ group: "", plural: "persistentvolumeclaims" }, object.metadata.name, breach);
    }
    return object;
  },
};

function rangesOf(state: State, { metadata }: Resource): readonly LimitRange[] {
  return (latestIn(state, "/limitranges", metadata.namespace ?? "") as readonly LimitRange[]).toSorted(
    (a, b) => (a.metadata.name < b.metadata.name ? -1 : 1),
  );
}
