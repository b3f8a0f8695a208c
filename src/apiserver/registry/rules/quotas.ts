/**
 * ResourceQuotas: nothing is let in that a namespace has no room for. What is used is counted from the latest state,
 * never from a quota's status: two pods at once cannot both take the last place.
 */
import type { ResourceQuota } from "../../../domain/apis/core/namespace.types.js";
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import {
  counts,
  covers,
  exceeded,
  growth,
  unspecified,
  usageOf,
  usedOf,
} from "../../../domain/apis/core/quota.js";
import type { AdmissionContext, Resource } from "../../../domain/apis/kind.js";
import { forbidden } from "../../status.js";
import type { State } from "../state.js";
import { latestIn } from "./latest.js";
import type { Rule } from "./rule.js";

/** The rules, each asked before its object is charged; kinds without a rule of their own are charged too. */
export function charging(rules: ReadonlyMap<string, Rule>): ReadonlyMap<string, Rule> {
  const made = new Map<string, Rule>();
  const get = (id: string): Rule => {
    const known = made.get(id);
    if (known !== undefined) return known;
    const own = rules.get(id);
    const charged: Rule = {
      ...own,
      admit(object, context, state) {
        const admitted = own?.admit?.(object, context, state) ?? object;
        charge(id, admitted, context, state);
        return admitted;
      },
    };
    made.set(id, charged);
    return charged;
  };
  return Object.assign(new Map(rules), { get });
}

/** Of what is there already, only these can grow. */
const growing: readonly string[] = ["/services", "/persistentvolumeclaims"];

function charge(id: string, object: Resource, context: AdmissionContext<Resource>, state: State): void {
  const { operation, subresource, old } = context;
  if (subresource !== "" || (operation === "update" && !growing.includes(id))) return;
  const { namespace = "", name } = object.metadata;
  if (namespace === "") return;
  const quotas = latestIn(state, "/resourcequotas", namespace) as readonly ResourceQuota[];
  if (quotas.length === 0) return;

  const [group = "", plural = ""] = id.split("/");
  const kind = { group, plural };
  const refuse = (why: string) => forbidden(kind, name, why);
  const charged = quotas
    .filter((quota) => covers(quota, kind, object))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  if (id === "/pods") {
    for (const quota of charged) {
      const missing = unspecified(quota, object as Pod);
      if (missing !== undefined) throw refuse(`failed quota: ${quota.metadata.name}: ${missing}`);
    }
  }
  const nowMs = state.clock.now();
  const usage = usageOf(kind, object, nowMs);
  const asked = old === undefined ? usage : growth(usage, usageOf(kind, old, nowMs));
  for (const quota of charged) {
    if (!Object.keys(asked).some((resource) => counts(kind, resource))) continue;
    const why = exceeded(quota, asked, usedOf(quota, kind, latestIn(state, id, namespace), nowMs));
    if (why !== undefined) throw refuse(why);
  }
}
