// Which Routes a change of a Configuration or Revision concerns.
import { conditionOf } from "../../../domain/apis/meta/judgement.js";
import type { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import type { Revision } from "../../../domain/apis/serving/revision.types.js";
import type { Route } from "../../../domain/apis/serving/route.types.js";
import type { TrafficTarget } from "../../../domain/apis/serving/traffic.types.js";
import type { Key, Lister } from "../../../ports/index.js";
import { routesListed } from "./labeler.js";

export function routesOfConfiguration(routes: Lister<Route>): (one: Configuration) => readonly Key[] {
  return (one) => concerned(routes, one, ({ configurationName }) => configurationName === one.metadata.name);
}

export function routesOfRevision(routes: Lister<Route>): (one: Revision) => readonly Key[] {
  return (one) => concerned(routes, one, ({ revisionName }) => revisionName === one.metadata.name);
}

/**
 * The Routes it lists, and its Service's. A Route may have named it before it was there and is listed only once it
 * was woken, so while it is new or ails, all Routes of the namespace are asked; what is well is known to its Routes.
 */
function concerned(
  routes: Lister<Route>,
  object: Configuration | Revision,
  names: (target: TrafficTarget) => boolean,
): readonly Key[] {
  const { namespace = "", labels, name, deletionTimestamp } = object.metadata;
  const known = routesListed(object);
  const settled =
    known.length > 0 && deletionTimestamp === undefined && conditionOf(object, "Ready")?.status === "True";
  const asking = settled
    ? []
    : routes.list({ namespace }).filter(({ spec }) => (spec.traffic ?? []).some(names));
  // A Route under its Service's name is woken even before it is listed anywhere.
  const likely = labels?.[serving.service] ?? name;
  return [...new Set([...known, likely, ...asking.map(({ metadata }) => metadata.name)])].map((one) => ({
    namespace,
    name: one,
  }));
}
