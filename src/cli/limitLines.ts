// The limits a request to an object meets, as `drydock describe` shows them below it.
import { type RevisionLimits, type RouteLimits, waterfall } from "../domain/traffic/index.js";
import { isPortError } from "../ports/index.js";
import { type AnyObject, listObjects, pods } from "./api/resources.js";
import type { Api } from "./context.js";
import { columns } from "./output/columns.js";

const revisionType = {
  ...pods,
  group: "serving.knative.dev",
  version: "v1",
  kind: "Revision",
  plural: "revisions",
  singular: "revision",
};
const routeType = {
  ...pods,
  group: "networking.istio.io",
  version: "v1",
  kind: "VirtualService",
  plural: "virtualservices",
  singular: "virtualservice",
};

/** Which label of a Revision names the object; none for kinds that no request is sent to. */
const labelOf: Readonly<Record<string, string>> = {
  InferenceService: "serving.kserve.io/inferenceservice",
  Service: "serving.knative.dev/service",
};

export async function limitLines(api: Api, object: AnyObject): Promise<readonly string[]> {
  const { kind, apiVersion, metadata } = object;
  const label = labelOf[kind];
  const serves = /^serving\.(knative|kserve|kubeflow)\./.test(apiVersion);
  if (!serves || (label === undefined && kind !== "Revision")) return [];
  const namespace = metadata.namespace ?? "default";
  const revisions =
    kind === "Revision" ? [object] : await listed(api, revisionType, namespace, `${label}=${metadata.name}`);
  const names = new Set(revisions.map((revision) => revision.metadata.name));
  const items = await listed(api, routeType, namespace);
  if (items.length + revisions.length === 0) return [];
  const routes = items.flatMap((route) => routeLimits(route, names, metadata.name));
  const latest = [...revisions].sort((a, b) => (a.metadata.name < b.metadata.name ? 1 : -1)).slice(0, 1);
  const steps = waterfall(routes, latest.map(revisionLimits));
  const rows = steps.map(({ limit, value, from }) => [`  ${limit}`, value, from]);
  return ["Limits:", ...columns().lines([["  On the way", "Value", "Set by"], ...rows])];
}

/** A cluster may lack a kind, or keep it from this user: then its limits are not shown. */
async function listed(
  api: Api,
  type: typeof pods,
  namespace: string,
  labelSelector?: string,
): Promise<readonly AnyObject[]> {
  try {
    const query = labelSelector === undefined ? {} : { labelSelector };
    return (await listObjects(api, type, namespace, query)).items;
  } catch (error) {
    if (isPortError(error)) return [];
    throw error;
  }
}

interface RouteSpec {
  readonly hosts?: readonly string[];
  readonly http?: readonly {
    readonly timeout?: string;
    readonly fault?: { readonly delay?: { readonly fixedDelay?: string } };
    readonly retries?: { readonly attempts?: number; readonly perTryTimeout?: string };
    readonly route?: readonly { readonly destination?: { readonly host?: string } }[];
  }[];
}

/** Those that send to one of the revisions, and the object's own in front of them. */
function routeLimits(route: AnyObject, revisions: ReadonlySet<string>, name: string): RouteLimits[] {
  const spec = (route.spec ?? {}) as RouteSpec;
  const rule = (spec.http ?? []).find(({ route: to = [] }) =>
    to.some(({ destination }) => revisions.has((destination?.host ?? "").split(".")[0] ?? "")),
  );
  const own = route.metadata.name === name ? spec.http?.[0] : undefined;
  const chosen = rule ?? own;
  if (chosen === undefined) return [];
  const from = `VirtualService ${route.metadata.namespace}/${route.metadata.name}`;
  const { timeout, retries, fault } = chosen;
  return [
    {
      ...{ from, timeout, perTryTimeout: retries?.perTryTimeout, attempts: retries?.attempts },
      delay: fault?.delay?.fixedDelay,
    },
  ];
}

function revisionLimits({ metadata, spec = {} }: AnyObject): RevisionLimits {
  const number = (field: string) => (typeof spec[field] === "number" ? (spec[field] as number) : undefined);
  return {
    name: metadata.name,
    containerConcurrency: number("containerConcurrency"),
    timeoutSeconds: number("timeoutSeconds"),
    responseStartTimeoutSeconds: number("responseStartTimeoutSeconds"),
    idleTimeoutSeconds: number("idleTimeoutSeconds"),
  };
}
