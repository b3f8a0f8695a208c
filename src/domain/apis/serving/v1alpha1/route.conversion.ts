// Route between v1alpha1 and v1.
import { equalJson } from "../../schema/index.js";
import type { Route as V1Route } from "../route.types.js";
import { readForm, withForm, withoutForm } from "./form.js";
import type { Route } from "./route.types.js";
import { conditionsFromV1, hostsOf } from "./status.js";
import { type Target, targetFromV1, targetToV1, trafficForm } from "./traffic.js";

export function routeToV1(route: Route, old: V1Route | undefined): V1Route {
  const { status: _status, ...rest } = route;
  const { traffic, ...same } = route.spec;
  const spec = { ...same, ...(traffic === undefined ? {} : { traffic: traffic.map(targetToV1) }) };
  return {
    ...rest,
    apiVersion: "serving.knative.dev/v1",
    metadata: withForm(route.metadata, trafficForm(traffic ?? [])),
    spec: old !== undefined && equalJson(spec, old.spec) ? old.spec : spec,
    ...(old?.status === undefined ? {} : { status: old.status }),
  };
}

export function routeFromV1(route: V1Route): Route {
  const { status, ...rest } = route;
  const { traffic, ...same } = route.spec;
  const form = readForm(route);
  return {
    ...rest,
    apiVersion: "serving.knative.dev/v1alpha1",
    metadata: withoutForm(route.metadata),
    spec: {
      ...same,
      ...(traffic === undefined ? {} : { traffic: traffic.map((target) => targetFromV1(target, form)) }),
    },
    ...(status === undefined ? {} : { status: statusFromV1(route, status) }),
  };
}

function statusFromV1(
  { spec }: V1Route,
  status: NonNullable<V1Route["status"]>,
): NonNullable<Route["status"]> {
  const { conditions, traffic } = status;
  const assigned = conditions?.find((one) => one.type === "AllTrafficAssigned");
  const served = (traffic ?? []).map((target) => targetFromV1(target));
  const shown =
    assigned?.status === "False" && assigned.reason === "RevisionMissing"
      ? [...served, ...notFound(spec.traffic ?? [], traffic ?? [])]
      : served;
  const isKnown = traffic !== undefined || assigned?.status === "False";
  return {
    ...status,
    ...hostsOf(status),
    ...(conditions === undefined ? {} : { conditions: conditionsFromV1(conditions) }),
    ...(isKnown ? { traffic: shown } : {}),
  };
}

/** The document's word for the share of a Configuration that has no ready Revision; Revisions that are missing are left out. */
function notFound(
  wished: NonNullable<V1Route["spec"]["traffic"]>,
  served: NonNullable<V1Route["spec"]["traffic"]>,
): readonly Target[] {
  return wished
    .filter(
      ({ revisionName, tag }) =>
        !revisionName &&
        !served.some((one) => one.latestRevision === true && (one.tag || "") === (tag || "")),
    )
    .map(({ tag, percent }) => ({
      ...(tag ? { name: tag } : {}),
      revisionName: "Not found",
      ...(percent === undefined ? {} : { percent }),
    }));
}
