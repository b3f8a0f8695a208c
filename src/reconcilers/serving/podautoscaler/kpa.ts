// One look at a PodAutoscaler that is scaled by what its pods are asked (knative-serving.md, section 5.5).
import type { EnsureOwned, Outcome, StatusReport } from "../../../controller/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { Metric } from "../../../domain/apis/autoscaling/metric.types.js";
import type { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { conditionOf, type Judgement, no, unknown, yes } from "../../../domain/apis/meta/judgement.js";
import { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import {
  type Applied,
  decideApply,
  judgeActive,
  leastReady,
  numActivators,
  type ScalingSettings,
  scalingSettings,
  serveMode,
} from "../../../domain/autoscaling/index.js";
import type { ServingDeps } from "../deps.js";
import { askAgain, notOwned } from "../taken.js";
import { giveUpAfterMs } from "./giveUp.js";
import { makeMetric, makeServerlessService } from "./make.js";
import { reportServices } from "./services.js";

type Round = (autoscaler: PodAutoscaler, status: StatusReport) => Promise<Outcome | undefined>;

export function kpaRound(deps: ServingDeps, ensure: EnsureOwned): Round {
  const { client, listers, clock, config, deciders, activatorProbe } = deps;
  const services = listers(ServerlessService);
  const deployments = listers(Deployment);
  const revisions = listers(Revision);

  return async (autoscaler, status) => {
    const { name, namespace = "" } = autoscaler.metadata;
    const key = { namespace, name };
    const settings = scalingSettings(autoscaler, config().autoscaler);
    const before = services.get(key);
    const made =
      before === undefined
        ? await ensure(
            ServerlessService,
            autoscaler,
            makeServerlessService(autoscaler, "Proxy", numActivators(settings, 0)),
          )
        : undefined;
    if (made?.outcome === "notOwned") {
      status.mark("Active", notOwned("ServerlessService", name));
      return askAgain;
    }
    const wish = deciders.ensure(autoscaler);

    const deployment = deployments.get({ namespace, name: autoscaler.spec.scaleTargetRef.name });
    if (deployment === undefined) {
      reportServices(status, made?.object ?? before);
      status.mark("Active", unknown("Deploying", "The target does not exist yet."));
      return undefined;
    }
    const initialized = status.get("ScaleTargetInitialized")?.status === "True";
    const replicas = deployment.spec?.replicas ?? 1;
    const active = conditionOf(autoscaler, "Active");
    const revision = revisions.get(key);
    const unrouted = revision?.metadata.labels?.[serving.routingState] === "reserve";
    const asleep = active?.status === "False" && wish.desiredScale <= 0;
    const applied = decideApply(settings, {
      desired: wish.desiredScale,
      active,
      initialized,
      unrouted,
      giveUpAfterMs: giveUpAfterMs(autoscaler, revision, initialized, config()),
      proxySinceMs: proxySince(before),
      activatorInPath: !asleep || replicas === 0 || (await activatorProbe.inPath(key)),
      nowMs: clock.now(),
    });
    // First of all: while it starts, somebody waits.
    if (applied.replicas !== undefined && applied.replicas !== replicas) {
      const target = { namespace, name: deployment.metadata.name };
      await client.patch(Deployment, target, { spec: { replicas: applied.replicas } }, { type: "merge" });
    }

    const ready = deployment.status?.readyReplicas ?? 0;
    const sks = await ensure(
      ServerlessService,
      autoscaler,
      makeServerlessService(
        autoscaler,
        serveMode(applied.want, wish.excessBurstCapacity),
        numActivators(settings, ready),
      ),
    );
    if (sks.outcome === "notOwned") {
      status.mark("Active", notOwned("ServerlessService", name));
      return askAgain;
    }
    reportServices(status, sks.object);
    const { privateServiceName } = sks.object.status ?? {};
    if (privateServiceName !== undefined) {
      const wanted = makeMetric(autoscaler, privateServiceName, settings);
      const metric = await ensure(Metric, autoscaler, wanted, { exact: ["spec"] });
      if (metric.outcome === "notOwned") {
        status.mark("Active", notOwned("Metric", name));
        return askAgain;
      }
    }
    report(autoscaler, status, { settings, applied, ready, replicas, initialized, unrouted, deployment });
    return { requeueAfterMs: applied.lookAgainInMs };
  };
}

interface Seen {
  readonly settings: ScalingSettings;
  readonly applied: Applied;
  readonly ready: number;
  /** As they were before this look. */
  readonly replicas: number;
  readonly initialized: boolean;
  readonly unrouted: boolean;
  readonly deployment: Deployment;
}

function report({ status: told }: PodAutoscaler, status: StatusReport, seen: Seen): void {
  const { settings, applied, ready, replicas, initialized, deployment } = seen;
  // Nothing new is wished: what was wished before still is, and at first that is what the Deployment began with.
  const desiredScale = applied.want < 0 ? (told?.desiredScale ?? replicas) : applied.want;
  status.set({ desiredScale, actualScale: ready });
  const least = leastReady(settings, initialized);
  // None is enough only for one that has none: not for one whose pods fail while the setting changes.
  const started = initialized || (ready >= least && (least > 0 || deployment.status?.replicas === undefined));
  status.mark("ScaleTargetInitialized", started ? yes : unknown(""));
  status.mark("Active", judgeActive(applied.want, ready, least, activeBefore(status, seen)));
}

/** One that is let go because no Route leads to it has not failed to start, even if it was about to. */
function activeBefore(status: StatusReport, { applied, unrouted, initialized }: Seen): Judgement | undefined {
  const before = status.get("Active");
  const letGo = applied.replicas === 0 && unrouted && initialized;
  return letGo && before?.status === "Unknown" ? no("", "") : before;
}

function proxySince(services: ServerlessService | undefined): number | undefined {
  const proxied = services && conditionOf(services, "ActivatorEndpointsPopulated");
  return proxied?.status === "True" ? Date.parse(proxied.lastTransitionTime ?? "") || undefined : undefined;
}
