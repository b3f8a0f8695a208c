/**
 * Between `default` and `canary` side by side and today's one predictor with a share: with a canary, the predictor is
 * the canary, and what was the default is the Revision that rolled out before it. Its spec is kept in an annotation.
 */
import type { Condition } from "../../meta/meta.types.js";
import { equalJson } from "../../schema/index.js";
import type { FrameworkSpec, ModelSpec } from "../component.types.js";
import type { InferenceService, PredictorSpec } from "../inferenceService.types.js";
import type { Framework, InferenceServiceV1alpha2, Predictor } from "./inferenceService.types.js";

const keptDefault = "serving.kubeflow.org/default-predictor";

const frameworks = ["sklearn", "xgboost", "pytorch", "tensorflow", "onnx", "triton"] as const;

export function toV1alpha2(service: InferenceService): InferenceServiceV1alpha2 {
  const usual = usualOf(service);
  const shown = showPredictor(service.spec.predictor);
  const percent = service.spec.predictor.canaryTrafficPercent;
  return {
    apiVersion: "serving.kubeflow.org/v1alpha2",
    kind: "InferenceService",
    metadata: usual === undefined ? service.metadata : withoutUsual(service.metadata),
    spec:
      usual === undefined
        ? { default: { predictor: shown } }
        : {
            default: { predictor: usual },
            canary: { predictor: shown },
            ...(percent === undefined ? {} : { canaryTrafficPercent: percent }),
          },
    ...(service.status === undefined ? {} : { status: showStatus(service, usual !== undefined) }),
  };
}

/** What was the default before there was a canary. Anyone may write an annotation: what is no predictor counts as not there. */
function usualOf({ metadata }: InferenceService): Predictor | undefined {
  const kept = metadata.annotations?.[keptDefault];
  if (kept === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(kept);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function withoutUsual(metadata: InferenceService["metadata"]): InferenceService["metadata"] {
  const { annotations, ...rest } = metadata;
  const { [keptDefault]: _kept, ...shown } = annotations ?? {};
  return Object.keys(shown).length === 0 ? rest : { ...rest, annotations: shown };
}

export function fromV1alpha2(
  seen: InferenceServiceV1alpha2,
  old: InferenceService | undefined,
): InferenceService {
  const { default: usual, canary, canaryTrafficPercent } = seen.spec;
  const predictor = (canary ?? usual)?.predictor ?? {};
  // A share that this version has no canary for was given in today's, and stays.
  const before = old === undefined || usualOf(old) !== undefined ? undefined : old.spec.predictor;
  const percent = canary === undefined ? before?.canaryTrafficPercent : (canaryTrafficPercent ?? 0);
  const annotations = {
    ...seen.metadata.annotations,
    ...(canary === undefined ? {} : { [keptDefault]: JSON.stringify(usual?.predictor ?? {}) }),
  };
  return {
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: {
      ...seen.metadata,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: {
      predictor: {
        ...storePredictor(predictor, old?.spec.predictor),
        ...(percent === undefined ? {} : { canaryTrafficPercent: percent }),
      },
    },
    ...(old?.status === undefined ? {} : { status: old.status }),
  };
}

// What this version cannot say is not lost by writing through it.
function storePredictor(predictor: Predictor, old: PredictorSpec | undefined): PredictorSpec {
  const { canaryTrafficPercent: _percent, ...before } = old ?? {};
  if (old !== undefined && equalJson(predictor, showPredictor(old))) return before;
  const { custom, parallelism, sklearn, xgboost, pytorch, tensorflow, onnx, triton, ...common } = predictor;
  const blocks = { sklearn, xgboost, pytorch, tensorflow, onnx, triton };
  const name = frameworks.find((one) => blocks[one] !== undefined);
  const model = name === undefined ? undefined : storeModel(name, blocks[name] ?? {}, old?.model);
  return {
    ...common,
    ...(parallelism === undefined ? {} : { containerConcurrency: parallelism }),
    ...(model === undefined ? {} : { model }),
    ...(custom?.container === undefined
      ? {}
      : { containers: [{ name: "kserve-container", ...custom.container }] }),
  } as PredictorSpec;
}

function storeModel(name: string, block: Framework, old: ModelSpec | undefined): ModelSpec {
  const { storageUri, runtimeVersion, resources, ...extra } = block as Framework & {
    readonly nthread?: number;
    readonly modelClassName?: string;
  };
  const kept = old?.modelFormat.name === name ? old : undefined;
  const args = [
    ...(extra.nthread === undefined ? [] : [`--nthread=${extra.nthread}`]),
    ...(extra.modelClassName === undefined ? [] : [`--model_class_name=${extra.modelClassName}`]),
  ];
  return {
    ...kept,
    modelFormat: kept?.modelFormat ?? { name },
    ...(storageUri === undefined ? {} : { storageUri }),
    ...(runtimeVersion === undefined ? {} : { runtimeVersion }),
    ...(resources === undefined ? {} : { resources: resources as ModelSpec["resources"] }),
    ...(args.length === 0 ? {} : { args }),
  } as ModelSpec;
}

function showPredictor(predictor: PredictorSpec): Predictor {
  const { serviceAccountName, minReplicas, maxReplicas, containerConcurrency, logger, batcher } = predictor;
  const custom = predictor.containers?.[0];
  const { model } = predictor;
  return defined({
    serviceAccountName,
    minReplicas,
    maxReplicas,
    parallelism: containerConcurrency,
    logger: logger === undefined ? undefined : defined({ url: logger.url, mode: logger.mode }),
    batcher,
    // Formats that came later have no name here.
    ...(model !== undefined && frameworks.some((name) => name === model.modelFormat.name)
      ? { [model.modelFormat.name]: showModel(model) }
      : {}),
    ...(model === undefined && custom !== undefined ? { custom: { container: custom } } : {}),
  }) as Predictor;
}

function showModel({ storageUri, runtimeVersion, resources, args }: FrameworkSpec): Framework {
  const arg = (name: string) => args?.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
  const nthread = arg("nthread");
  return defined({
    storageUri,
    runtimeVersion,
    resources,
    nthread: nthread === undefined ? undefined : Number(nthread),
    modelClassName: arg("model_class_name"),
  }) as Framework;
}

function showStatus(
  { status }: InferenceService,
  hasCanary: boolean,
): NonNullable<InferenceServiceV1alpha2["status"]> {
  const component = status?.components?.["predictor"];
  const traffic = component?.traffic ?? [];
  const latest = traffic
    .filter((one) => one.latestRevision === true)
    .reduce((sum, one) => sum + (one.percent ?? 0), 0);
  const revision = hasCanary ? component?.previousRolledoutRevision : component?.latestCreatedRevision;
  const usual = traffic.find((one) => one.tag === "prev")?.revisionName ?? revision;
  return defined({
    observedGeneration: status?.observedGeneration,
    conditions: showConditions(status?.conditions ?? [], hasCanary),
    url: status?.url,
    address: status?.address,
    // Blank, as it was, while nothing is routed and where there is no canary to share with.
    traffic: traffic.length === 0 ? undefined : hasCanary ? 100 - latest : latest,
    canaryTraffic: hasCanary && latest > 0 ? latest : undefined,
    default: usual === undefined ? undefined : { predictor: named(usual, status?.url) },
    canary:
      hasCanary && component?.latestCreatedRevision !== undefined
        ? { predictor: named(component.latestCreatedRevision, status?.url) }
        : undefined,
  });
}

function named(name: string, url: string | undefined) {
  return { name, ...(url === undefined ? {} : { host: url.replace(/^https?:\/\//, "") }) };
}

const conditionNames = (hasCanary: boolean): { readonly [type: string]: string } => ({
  Ready: "Ready",
  PredictorReady: hasCanary ? "CanaryPredictorReady" : "DefaultPredictorReady",
  IngressReady: "RoutesReady",
});

/** Status, reason and message unchanged: this version has other names for the same conditions. */
function showConditions(conditions: readonly Condition[], hasCanary: boolean): readonly Condition[] {
  const names = conditionNames(hasCanary);
  return conditions
    .flatMap((condition) => {
      const type = Object.hasOwn(names, condition.type) ? names[condition.type] : undefined;
      return type === undefined ? [] : [{ ...condition, type }];
    })
    .sort((a, b) => (a.type < b.type ? -1 : 1));
}

function defined<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}
