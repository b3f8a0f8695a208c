// Service between v1alpha1 and v1: the modes are traffic of a certain shape, and are told by it.
import { equalJson } from "../../schema/index.js";
import type { KnativeService as V1Service } from "../service.types.js";
import type { TrafficTarget } from "../traffic.types.js";
import { type Form, readForm, withForm, withFormOf, withoutForm } from "./form.js";
import type { Service, ServiceSpec } from "./service.types.js";
import { conditionsFromV1, hostsOf } from "./status.js";
import { type Converted, configurationFromV1, configurationToV1 } from "./template.conversion.js";
import { targetFromV1, targetToV1, trafficForm } from "./traffic.js";

type V1Spec = V1Service["spec"];

export function serviceToV1(service: Service, old: V1Service | undefined): V1Service {
  const { spec, form } = specToV1(service.spec, old?.spec);
  const { status: _status, ...rest } = service;
  // Who wishes for nothing new leaves the note of how it was written alone, too.
  const isSame = old !== undefined && equalJson(service.spec, specFromV1(old.spec, readForm(old)));
  return {
    ...rest,
    apiVersion: "serving.knative.dev/v1",
    metadata: isSame ? withFormOf(service.metadata, old.metadata) : withForm(service.metadata, form),
    // The very object where it says the same: what compares by text or by order sees no change.
    spec: old !== undefined && (isSame || equalJson(spec, old.spec)) ? old.spec : spec,
    ...(old?.status === undefined ? {} : { status: old.status }),
  };
}

export function serviceFromV1(service: V1Service): Service {
  const { status, ...rest } = service;
  return {
    ...rest,
    apiVersion: "serving.knative.dev/v1alpha1",
    metadata: withoutForm(service.metadata),
    spec: specFromV1(service.spec, readForm(service)),
    ...(status === undefined ? {} : { status: statusFromV1(status) }),
  };
}

function specToV1(spec: ServiceSpec, old: V1Spec | undefined): Converted<V1Spec> {
  const { runLatest, pinned, release, manual, traffic, ...inline } = spec;
  if (manual !== undefined) return { spec: old ?? nothingToRun, form: { as: "manual" } };
  const { configuration } = runLatest ?? pinned ?? release ?? { configuration: inline };
  const { spec: wish, form } = configurationToV1(configuration ?? {});
  if (runLatest !== undefined) return { spec: { ...wish, traffic: toLatest }, form };
  if (pinned !== undefined) return { spec: { ...wish, traffic: toOne(pinned.revisionName ?? "") }, form };
  if (release !== undefined) {
    const { revisions = [], rolloutPercent } = release;
    const said = rolloutPercent !== undefined;
    return {
      spec: { ...wish, traffic: toRelease(revisions, rolloutPercent ?? 0) },
      form: { ...form, ...(said === saysRollout(revisions) ? {} : { rollout: said }) },
    };
  }
  return {
    spec: { ...wish, ...(traffic === undefined ? {} : { traffic: traffic.map(targetToV1) }) },
    form: { as: "inline", ...form, ...trafficForm(traffic ?? []) },
  };
}

function specFromV1(spec: V1Spec, form: Form): ServiceSpec {
  if (form.as === "manual") return { manual: {} };
  const configuration = configurationFromV1(spec, form);
  const mode = form.as === "inline" ? undefined : modeOf(spec.traffic ?? []);
  switch (mode?.mode) {
    case "runLatest":
      return { runLatest: { configuration } };
    case "pinned":
      return { pinned: { revisionName: mode.revisionName, configuration } };
    case "release": {
      const { revisions, percent } = mode;
      const says = percent > 0 || (form.rollout ?? saysRollout(revisions));
      return { release: { revisions, ...(says ? { rolloutPercent: percent } : {}), configuration } };
    }
    case undefined:
      return {
        ...configuration,
        ...(spec.traffic === undefined
          ? {}
          : { traffic: spec.traffic.map((target) => targetFromV1(target, form)) }),
      };
  }
}

type Mode =
  | { readonly mode: "runLatest" }
  | { readonly mode: "pinned"; readonly revisionName: string }
  | { readonly mode: "release"; readonly revisions: readonly string[]; readonly percent: number };

/** The mode whose traffic this is, target for target; undefined when it takes the inline form to say it. */
function modeOf(traffic: readonly TrafficTarget[]): Mode | undefined {
  if (equalJson(traffic, toLatest)) return { mode: "runLatest" };
  const [first, second] = traffic;
  if (first === undefined) return undefined;
  const name = first.revisionName ?? "";
  if (name !== "" && equalJson(traffic, toOne(name))) return { mode: "pinned", revisionName: name };
  const both = traffic.length === 3 && second !== undefined ? [first, second] : [first];
  const revisions = both.map((target) => (target.latestRevision ? latest : (target.revisionName ?? "")));
  const percent = both.length === 2 ? (second?.percent ?? 0) : 0;
  const fits = percent >= 0 && percent <= 99 && !revisions.includes("");
  return fits && equalJson(traffic, toRelease(revisions, percent))
    ? { mode: "release", revisions, percent }
    : undefined;
}

/** How a release spells the Revision that is ready latest. */
const latest = "@latest";

const toLatest: readonly TrafficTarget[] = [{ percent: 100, latestRevision: true }];

function toOne(revisionName: string): readonly TrafficTarget[] {
  return [{ revisionName, percent: 100, latestRevision: false }];
}

function toRelease(revisions: readonly string[], percent: number): readonly TrafficTarget[] {
  const [current = "", candidate] = revisions;
  return [
    { tag: "current", ...named(current), percent: candidate === undefined ? 100 : 100 - percent },
    ...(candidate === undefined ? [] : [{ tag: "candidate", ...named(candidate), percent }]),
    { tag: "latest", latestRevision: true, percent: 0 },
  ];
}

function named(revision: string): TrafficTarget {
  return revision === latest ? { latestRevision: true } : { revisionName: revision, latestRevision: false };
}

/** Whether rolloutPercent is shown where nobody said otherwise. */
function saysRollout(revisions: readonly string[]): boolean {
  return revisions.length === 2;
}

/** v1 knows no Service without a template; this one is never run. */
const nothingToRun: V1Spec = {
  template: { spec: { containers: [{ name: "user-container", image: "manual" }] } },
};

function statusFromV1(status: NonNullable<V1Service["status"]>): NonNullable<Service["status"]> {
  const { traffic, conditions, latestCreatedRevisionName, ...same } = status;
  const ready = conditions?.find((one) => one.type === "Ready");
  const noneReady = ready?.reason === "RevisionMissing" && status.latestReadyRevisionName === undefined;
  return {
    ...same,
    ...hostsOf(status),
    ...(conditions === undefined ? {} : { conditions: conditionsFromV1(conditions) }),
    ...(latestCreatedRevisionName === undefined ? {} : { latestCreatedRevisionName }),
    // So spelled in the error-conditions document's example of a first Revision that cannot serve.
    ...(latestCreatedRevisionName !== undefined && noneReady
      ? { latestCreatedRevisionname: latestCreatedRevisionName }
      : {}),
    ...(traffic === undefined ? {} : { traffic: traffic.map((target) => targetFromV1(target)) }),
  };
}
