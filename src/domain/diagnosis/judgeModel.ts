/** What the pods of the newest revision say about the model: pending, loading, loaded, or failed and why (kserve.md, section 2.5). */
import type { ContainerStatus } from "../apis/core/container.types.js";
import type { Pod } from "../apis/core/pod.types.js";
import type { InferenceService, ModelStatus } from "../apis/kserve/inferenceService.types.js";
import { conditionOf } from "../apis/meta/judgement.js";
import { isoSeconds } from "../apis/meta/time.js";
import type { KnativeService } from "../apis/serving/service.types.js";

export function judgeModel(
  service: InferenceService,
  ksvc: KnativeService,
  pods: readonly Pod[],
  nowMs: number,
): ModelStatus {
  const before = service.status?.modelStatus;
  const { latestCreatedRevisionName: target, latestReadyRevisionName: active } = ksvc.status ?? {};
  const activeModelState = active === undefined ? (before?.states?.activeModelState ?? "") : "Loaded";
  const ready = pods.filter(isPodReady).length;
  const copies = {
    failedCopies: pods.filter((pod) => failureOf(pod) !== undefined).length,
    totalCopies: ready,
  };

  if (
    target !== undefined &&
    target === active &&
    conditionOf(ksvc, "ConfigurationsReady")?.status === "True"
  ) {
    return {
      transitionStatus: "UpToDate",
      states: { activeModelState: "Loaded", targetModelState: "Loaded" },
      copies,
    };
  }
  const failed = pods
    .map((pod) => ({ pod, failure: failureOf(pod) }))
    .find((one) => one.failure !== undefined);
  if (failed?.failure !== undefined) {
    const { exitCode, message } = failed.failure;
    const known = before?.lastFailureInfo;
    const same = known?.message === message && known?.modelRevisionName === target;
    return {
      transitionStatus: "BlockedByFailedLoad",
      states: { activeModelState, targetModelState: "FailedToLoad" },
      copies,
      lastFailureInfo: {
        location: failed.pod.metadata.name,
        reason: "ModelLoadFailed",
        message,
        modelRevisionName: target,
        time: (same ? known?.time : undefined) ?? isoSeconds(nowMs),
        exitCode,
      },
    };
  }
  if (pods.length === 0 && ksvc.status?.conditions?.some((condition) => condition.status === "False")) {
    return {
      transitionStatus: "BlockedByFailedLoad",
      states: { activeModelState, targetModelState: "FailedToLoad" },
      ...(before?.lastFailureInfo === undefined ? {} : { lastFailureInfo: before.lastFailureInfo }),
    };
  }
  const loading = pods.some((pod) =>
    pod.status?.initContainerStatuses?.some((one) => one.state?.running !== undefined),
  );
  return {
    transitionStatus: "InProgress",
    states: { activeModelState, targetModelState: loading ? "Loading" : "Pending" },
    ...(pods.length === 0 ? {} : { copies }),
  };
}

function failureOf(pod: Pod): { readonly exitCode: number; readonly message: string } | undefined {
  const initializer = pod.status?.initContainerStatuses?.find((one) => one.name === "storage-initializer");
  const server =
    pod.status?.containerStatuses?.find((one) => one.name === "kserve-container") ??
    pod.status?.containerStatuses?.[0];
  return endedBadly(initializer) ?? endedBadly(server);
}

function endedBadly(
  status: ContainerStatus | undefined,
): { readonly exitCode: number; readonly message: string } | undefined {
  if (status === undefined || status.ready) return undefined;
  const ended =
    status.state?.terminated ??
    (status.state?.waiting?.reason === "CrashLoopBackOff" ? status.lastState?.terminated : undefined);
  if (ended === undefined || ended.exitCode === 0) return undefined;
  return { exitCode: ended.exitCode, message: (ended.message ?? "").trim() };
}

function isPodReady(pod: Pod): boolean {
  return (
    pod.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ??
    false
  );
}
