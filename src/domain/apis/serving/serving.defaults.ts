// What Knative's four kinds mean where they say nothing (knative-serving.md, section 1.5).
import type { AdmissionContext, Resource } from "../kind.js";
import { equalJson } from "../schema/index.js";
import type { Configuration } from "./configuration.types.js";
import { serving } from "./keys.js";
import type { Revision } from "./revision.types.js";
import type { Route } from "./route.types.js";
import type { KnativeService } from "./service.types.js";
import { defaultRevisionSpec, defaultTemplate } from "./template.defaults.js";
import type { RevisionTemplate } from "./template.types.js";
import type { TrafficTarget } from "./traffic.types.js";

export function defaultKnativeService(
  service: KnativeService,
  context: AdmissionContext<KnativeService>,
): KnativeService {
  if (context.subresource !== "") return service;
  const { traffic } = service.spec;
  const spec = {
    ...withTemplate(service, context).spec,
    traffic: defaultTraffic(traffic?.length ? traffic : [{ percent: 100, latestRevision: true }]),
  };
  return signed({ ...service, spec }, context);
}

export function defaultConfiguration(
  configuration: Configuration,
  context: AdmissionContext<Configuration>,
): Configuration {
  if (context.subresource !== "") return configuration;
  return signedUnlessOwned(withTemplate(configuration, context), context);
}

/** A revision is finished when it is made: later defaults are for later revisions. */
export function defaultRevision(revision: Revision, context: AdmissionContext<Revision>): Revision {
  if (context.operation !== "create" || context.subresource !== "") return revision;
  const so = { config: context.config(), parent: revision.metadata, creating: true };
  return { ...revision, spec: defaultRevisionSpec(revision.spec, so) };
}

export function defaultRoute(route: Route, context: AdmissionContext<Route>): Route {
  if (context.subresource !== "") return route;
  const { traffic } = route.spec;
  const spec = { ...route.spec, ...(traffic === undefined ? {} : { traffic: defaultTraffic(traffic) }) };
  return signedUnlessOwned({ ...route, spec }, context);
}

type Templated = Resource & { readonly spec: { readonly template?: RevisionTemplate | undefined } };

function withTemplate<T extends Templated>(object: T, context: AdmissionContext<T>): T {
  const { template } = object.spec;
  const name = template?.metadata?.name;
  // A revision named by its user stays as it is: new defaults of the cluster must not look like a change of it.
  const settled = Boolean(name) && name === context.old?.spec.template?.metadata?.name;
  if (template === undefined || settled) return object;
  const so = {
    config: context.config(),
    parent: object.metadata,
    creating: context.operation === "create",
  };
  return { ...object, spec: { ...object.spec, template: defaultTemplate(template, so) } };
}

function defaultTraffic(traffic: readonly TrafficTarget[]): readonly TrafficTarget[] {
  return traffic.map((target) => ({
    ...target,
    latestRevision: target.latestRevision ?? !target.revisionName,
    percent: target.percent ?? 0,
  }));
}

function signedUnlessOwned<T extends Resource & { readonly spec: unknown }>(
  object: T,
  context: AdmissionContext<T>,
): T {
  return object.metadata.ownerReferences?.length ? object : signed(object, context);
}

/** Who made it, and who changed last what it wishes for: said by the server, whatever the body claims. */
export function signed<T extends Resource & { readonly spec: unknown }>(
  object: T,
  { operation, old, user }: AdmissionContext<T>,
): T {
  const creating = operation === "create";
  if (!creating && equalJson(old?.spec, object.spec)) return object;
  const signature = {
    ...(creating ? { [serving.creator]: user.name } : {}),
    [serving.lastModifier]: user.name,
  };
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...signature } },
  };
}
