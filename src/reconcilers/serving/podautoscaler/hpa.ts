// One look at a PodAutoscaler whose pods are counted by what they use: Kubernetes' own autoscaler scales it (section 5.6).
import type { EnsureOwned, Outcome, StatusReport } from "../../../controller/index.js";
import { HorizontalPodAutoscaler } from "../../../domain/apis/autoscaling/autoscalingV2.types.js";
import type { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { isReady, unknown, yes } from "../../../domain/apis/meta/judgement.js";
import { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { leastReady, scalingSettings } from "../../../domain/autoscaling/index.js";
import type { ServingDeps } from "../deps.js";
import { askAgain, notOwned } from "../taken.js";
import { makeHorizontalPodAutoscaler, makeServerlessService } from "./make.js";
import { reportServices } from "./services.js";

export function hpaRound({ config }: ServingDeps, ensure: EnsureOwned) {
  return async (autoscaler: PodAutoscaler, status: StatusReport): Promise<Outcome | undefined> => {
    const { name } = autoscaler.metadata;
    const settings = scalingSettings(autoscaler, config().autoscaler);
    const sks = await ensure(ServerlessService, autoscaler, makeServerlessService(autoscaler, "Serve", 0));
    if (sks.outcome === "notOwned") {
      status.mark("Active", notOwned("ServerlessService", name));
      return askAgain;
    }
    const hpa = await ensure(
      HorizontalPodAutoscaler,
      autoscaler,
      makeHorizontalPodAutoscaler(autoscaler, settings),
    );
    if (hpa.outcome === "notOwned") {
      status.mark("Active", notOwned("HorizontalPodAutoscaler", name));
      return askAgain;
    }

    const { currentReplicas = 0, desiredReplicas = 0 } = hpa.object.status ?? {};
    status.set({ desiredScale: desiredReplicas, actualScale: currentReplicas });
    status.mark("Active", yes);
    reportServices(status, sks.object);
    if (!isReady(sks.object)) status.mark("SKSReady", unknown("NotReady", "SKS Services are not ready yet"));
    const initialized = status.get("ScaleTargetInitialized")?.status === "True";
    const started =
      initialized || (isReady(sks.object) && currentReplicas >= leastReady(settings, initialized));
    status.mark("ScaleTargetInitialized", started ? yes : unknown(""));
    return undefined;
  };
}
