/** Which ServingRuntime serves a model (kserve.md, section 3.1). */
import type { ModelSpec } from "../apis/kserve/component.types.js";
import type { ServingRuntime, ServingRuntimeSpec } from "../apis/kserve/runtime.types.js";

export type Selection =
  | {
      readonly outcome: "selected";
      readonly runtime: ServingRuntime;
      readonly scope: "namespace" | "cluster";
      readonly because: string;
    }
  | {
      readonly outcome: "none";
      readonly reason: "RuntimeNotRecognized" | "RuntimeDisabled" | "NoSupportingRuntime";
      readonly message: string;
    };

interface Candidate {
  readonly runtime: ServingRuntime;
  readonly scope: "namespace" | "cluster";
}

const protocols = ["v1", "v2", "grpc-v1", "grpc-v2"] as const;

/** A refusal names each runtime that was considered and why it was not taken. */
export function selectRuntime(
  model: ModelSpec,
  inNamespace: readonly ServingRuntime[],
  inCluster: readonly ServingRuntime[],
): Selection {
  const candidates: readonly Candidate[] = [
    ...inOrder(inNamespace).map((runtime) => ({ runtime, scope: "namespace" as const })),
    ...inOrder(inCluster).map((runtime) => ({ runtime, scope: "cluster" as const })),
  ];
  return model.runtime ? explicit(model, model.runtime, candidates) : implicit(model, candidates);
}

function explicit(model: ModelSpec, name: string, candidates: readonly Candidate[]): Selection {
  const named = candidates.find((one) => one.runtime.metadata.name === name);
  if (named === undefined) {
    const known = candidates.map((one) => one.runtime.metadata.name);
    const hint = known.length === 0 ? "there is none at all" : `there are: ${known.join(", ")}`;
    return {
      outcome: "none",
      reason: "RuntimeNotRecognized",
      message: `No ServingRuntimes or ClusterServingRuntimes with the name: ${name}; ${hint}`,
    };
  }
  const { spec } = named.runtime;
  if (spec.disabled === true) {
    return { outcome: "none", reason: "RuntimeDisabled", message: `specified runtime ${name} is disabled` };
  }
  if (!speaks(spec, model.protocolVersion)) {
    return {
      outcome: "none",
      reason: "NoSupportingRuntime",
      message: `specified runtime ${name} does not support specified protocol version`,
    };
  }
  if (formatOf(spec, model, false) === undefined) {
    return {
      outcome: "none",
      reason: "NoSupportingRuntime",
      message: `specified runtime ${name} does not support specified framework/version`,
    };
  }
  return { outcome: "selected", ...named, because: `spec.predictor.model.runtime names ${name}` };
}

function implicit(model: ModelSpec, candidates: readonly Candidate[]): Selection {
  const protocol = model.protocolVersion ?? "v1";
  const refusals: string[] = [];
  const fitting: (Candidate & { readonly priority: number })[] = [];
  for (const candidate of candidates) {
    const { spec, metadata } = candidate.runtime;
    const format = formatOf(spec, model, true);
    const refusal =
      spec.disabled === true
        ? "is disabled"
        : spec.multiModel === true
          ? "is for many models at once"
          : spec.workerSpec !== undefined
            ? "is for several nodes"
            : format === undefined
              ? `serves ${formatsOf(spec)}`
              : !speaks(spec, protocol)
                ? `speaks ${(spec.protocolVersions ?? []).join(", ")}, not ${protocol}`
                : undefined;
    if (refusal === undefined) fitting.push({ ...candidate, priority: format?.priority ?? 0 });
    else refusals.push(`${metadata.name} ${refusal}`);
  }
  // A stable sort: namespaced runtimes stay before those of the cluster when priorities are equal.
  const [best] = [...fitting].sort((a, b) => b.priority - a.priority);
  if (best !== undefined) {
    return {
      outcome: "selected",
      runtime: best.runtime,
      scope: best.scope,
      because: `it serves ${wanted(model)} over ${protocol}`,
    };
  }
  const considered = refusals.length === 0 ? "there is no runtime at all" : refusals.join("; ");
  return {
    outcome: "none",
    reason: "NoSupportingRuntime",
    message: `no runtime found to support predictor with model type: ${wanted(model)} (${considered})`,
  };
}

function inOrder(runtimes: readonly ServingRuntime[]): readonly ServingRuntime[] {
  return [...runtimes].sort(
    (a, b) =>
      lowestProtocol(a.spec) - lowestProtocol(b.spec) ||
      compareText(b.metadata.creationTimestamp ?? "", a.metadata.creationTimestamp ?? "") ||
      compareText(a.metadata.name, b.metadata.name),
  );
}

function lowestProtocol({ protocolVersions }: ServingRuntimeSpec): number {
  return Math.min(...(protocolVersions ?? []).map((one) => protocols.indexOf(one)), protocols.length);
}

function speaks({ protocolVersions }: ServingRuntimeSpec, protocol: string | undefined): boolean {
  return (
    protocol === undefined || !protocolVersions?.length || protocolVersions.some((one) => one === protocol)
  );
}

function formatOf(spec: ServingRuntimeSpec, { modelFormat }: ModelSpec, auto: boolean) {
  return spec.supportedModelFormats?.find(
    (one) =>
      one.name === modelFormat.name &&
      (!auto || one.autoSelect === true) &&
      (!modelFormat.version ||
        (auto ? one.version === modelFormat.version : !one.version || one.version === modelFormat.version)),
  );
}

function formatsOf({ supportedModelFormats }: ServingRuntimeSpec): string {
  return (
    (supportedModelFormats ?? [])
      .map((one) => (one.version ? `${one.name} ${one.version}` : one.name))
      .join(", ") || "nothing"
  );
}

function wanted({ modelFormat }: ModelSpec): string {
  return modelFormat.version ? `${modelFormat.name} ${modelFormat.version}` : modelFormat.name;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
