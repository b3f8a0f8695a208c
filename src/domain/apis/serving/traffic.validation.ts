// How traffic may be shared (knative-serving.md, section 1.7.6).
import { labelKeyProblems, nameProblems } from "../names/index.js";
import {
  disallowed,
  fault,
  invalidKey,
  invalidValue,
  type KnativeErrors,
  missingOneOf,
  multipleOneOf,
  outOfBounds,
  under,
} from "./knativeError.js";
import type { TrafficTarget } from "./traffic.types.js";

/** Within a Service the Configuration is its own: it need not be named, and may not be. Paths begin at the list. */
export function validateTraffic(
  traffic: readonly TrafficTarget[] = [],
  { inService }: { readonly inService: boolean },
): KnativeErrors {
  const sum = traffic.reduce((total, target) => total + (target.percent ?? 0), 0);
  return [
    ...traffic.flatMap((target, index) => under(index, validateTarget(target, inService))),
    ...traffic.flatMap(({ tag }, index) => (tag ? validateTag(tag, index, traffic) : [])),
    ...(sum === 100 ? [] : fault(`Traffic targets sum to ${sum}, want 100`, [""])),
  ];
}

function validateTag(tag: string, index: number, traffic: readonly TrafficTarget[]): KnativeErrors {
  const problems = nameProblems("dns1035", tag);
  const first = traffic.findIndex((one) => one.tag === tag);
  return [
    ...(problems.length === 0
      ? []
      : invalidValue(`not a DNS 1035 label: [${problems.join(" ")}]`, `tag[${index}]`)),
    ...(first === index
      ? []
      : fault(`Multiple definitions for ${JSON.stringify(tag)}`, [`[${first}].tag`, `[${index}].tag`])),
  ];
}

function validateTarget(target: TrafficTarget, inService: boolean): KnativeErrors {
  const { revisionName = "", latestRevision, percent = 0, url } = target;
  return [
    ...(latestRevision !== undefined && latestRevision === (revisionName !== "")
      ? fault(
          `may not set revisionName ${JSON.stringify(revisionName)} when latestRevision is ${latestRevision}`,
          ["latestRevision"],
        )
      : []),
    ...validateReference(target, inService),
    ...(percent < 0 || percent > 100 ? outOfBounds(percent, 0, 100, "percent") : []),
    ...(url ? disallowed("url") : []),
  ];
}

function validateReference(
  { revisionName, configurationName }: TrafficTarget,
  inService: boolean,
): KnativeErrors {
  if (inService && configurationName) return disallowed("configurationName");
  if (revisionName && configurationName) return multipleOneOf("revisionName", "configurationName");
  if (revisionName) return qualified(revisionName, "revisionName");
  if (configurationName) return qualified(configurationName, "configurationName");
  return inService ? [] : missingOneOf("revisionName", "configurationName");
}

function qualified(name: string, path: string): KnativeErrors {
  const problems = labelKeyProblems(name);
  return problems.length === 0 ? [] : invalidKey(name, path, problems.join(", "));
}
