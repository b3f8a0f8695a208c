// The whole serving chain in a world: every reconciler, a kubelet, a registry and a gateway that only say so.

import { type Autoscaler, startAutoscaler } from "../../src/autoscaler/index.js";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import type { Resource } from "../../src/domain/apis/kind.js";
import { ClusterServingRuntime } from "../../src/domain/apis/kserve/runtime.types.js";
import type { RevisionStat } from "../../src/domain/autoscaling/index.js";
import type { Clock, ImageDigests, PodUsage } from "../../src/ports/index.js";
import { liveServingConfig, servingReconcilers } from "../../src/reconcilers/serving/index.js";
import { startGarbageCollector, workloadReconcilers } from "../../src/reconcilers/workload/index.js";
import { existing } from "./existing.js";
import { type Answers, proberOf } from "./prober.js";
import { type RunningWorld, startWorld } from "./run.js";
import type { World, WorldOptions } from "./world.js";

export interface ServingWorldOptions extends WorldOptions {
  /** What the gateway answers to a probe; with what was asked for unless said. */
  readonly answers?: Answers;
  /** Why an image cannot be had; undefined for one that can, null for one whose registry says nothing. */
  readonly missing?: (image: string) => string | null | undefined;
  /** What pods use of the machine; nothing is measured unless said. */
  readonly usage?: (world: Pick<World, "list" | "clock">) => readonly PodUsage[];
}

const onnxRuntime = existing(ClusterServingRuntime, {
  metadata: { name: "kserve-onnxserver" },
  spec: {
    supportedModelFormats: [{ name: "onnx", version: "1", autoSelect: true, priority: 1 }],
    protocolVersions: ["v1", "v2"],
    containers: [
      {
        name: "kserve-container",
        image: "drydock/onnxserver",
        args: ["--model_name={{.Name}}"],
        ports: [{ containerPort: 8080 }],
      },
    ],
  },
} as never);

/** For reconcilers that scale nothing: nobody counts, and whoever holds requests answers. */
export const noScaling = {
  deciders: {
    ensure: () => ({ desiredScale: -1, excessBurstCapacity: 0, because: "nobody counts here" }),
    remove: () => {},
    onChange: () => {},
  },
  activatorProbe: { inPath: async () => true },
};

export interface ServingWorld extends RunningWorld {
  /** So many requests at once for a Revision, told at once and every second until said otherwise; 0 is told once more. */
  traffic(key: string, concurrency: number): Promise<void>;
}

export async function startServingWorld(options: ServingWorldOptions = {}): Promise<ServingWorld> {
  const { answers = () => undefined, missing, usage, given = [], ...more } = options;
  const prober = proberOf(answers);
  const digestsBy = (clock: Clock): ImageDigests => ({
    digestOf: async ({ image, timeoutMs }) => {
      let because = missing?.(image);
      if (because === null) {
        await new Promise<void>((resolve) => clock.after(timeoutMs, resolve));
        because = "context deadline exceeded";
      }
      if (because !== undefined) return { outcome: "missing", because };
      return { outcome: "resolved", digest: `${image}@sha256:abc` };
    },
  });
  const kindsOf = (world: Pick<RunningWorld, "registry">) => () => [
    ...new Set(world.registry.served.all().map((served) => served.storage)),
  ];
  let autoscaler: Autoscaler | undefined;
  const world = await startWorld({
    ...more,
    given: [onnxRuntime, ...given],
    reconcilers: (deps, inner) => {
      const config = liveServingConfig(deps.listers);
      autoscaler = startAutoscaler({
        clock: deps.clock,
        pods: deps.listers(Pod),
        config: () => config().autoscaler,
      });
      const serving = servingReconcilers({
        ...deps,
        digests: digestsBy(deps.clock),
        prober,
        deciders: autoscaler.deciders,
        activatorProbe: { inPath: async () => true },
        settings: () => ({
          domain: "localhost",
          externalPort: 18080,
          activator: { host: "127.0.0.1", port: 18081 },
          apiUrl: "https://127.0.0.1:16443",
        }),
        config,
      });
      return [
        ...serving,
        ...workloadReconcilers(deps, {
          usage: () => usage?.(inner) ?? [],
          caCertificate: "PEM",
          kinds: kindsOf(inner),
          finalizeNamespace: (name) => inner.registry.finalizeNamespace(name, []),
        }),
      ];
    },
    more: (inner) =>
      startGarbageCollector({
        ...inner.deps,
        client: inner.client,
        informers: inner.informers,
        kinds: kindsOf(inner),
      }),
  });

  // As the gateway reports: what is new at once, then every second, and once more when it is over.
  const flowing = new Map<string, number>();
  let timer: (() => void) | undefined;
  function report(): void {
    timer = undefined;
    autoscaler?.record([...flowing].map(([key, concurrency]) => statOf(key, concurrency, world.clock.now())));
    for (const [key, concurrency] of flowing) if (concurrency === 0) flowing.delete(key);
    if (flowing.size > 0) timer = world.clock.after(1000, report);
  }
  return {
    ...world,
    async traffic(key, concurrency) {
      flowing.set(key, concurrency);
      timer?.();
      report();
      await world.settle();
    },
    async close() {
      timer?.();
      autoscaler?.close();
      await world.close();
    },
  };
}

function statOf(key: string, concurrency: number, timestampMs: number): RevisionStat {
  const [namespace = "", name = ""] = key.split("/");
  return {
    namespace,
    name,
    podName: "activator",
    averageConcurrentRequests: concurrency,
    averageProxiedConcurrentRequests: 0,
    requestCount: concurrency,
    proxiedRequestCount: 0,
    processUptimeSeconds: 60,
    timestampMs,
  };
}

/** `True`, or `False Reason: message`: one condition as a user reads it. */
export function told(object: Resource | undefined, type = "Ready"): string {
  const conditions = (
    object as {
      status?: { conditions?: { type: string; status: string; reason?: string; message?: string }[] };
    }
  )?.status?.conditions;
  const condition = conditions?.find((one) => one.type === type);
  if (condition === undefined) return "nothing";
  const { status, reason, message } = condition;
  return message ? `${status} ${reason}: ${message}` : reason ? `${status} ${reason}` : status;
}
