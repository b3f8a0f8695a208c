// The whole serving chain in a world: every reconciler, a kubelet, images and a gateway that only say so.

import type { Resource } from "../../src/domain/apis/kind.js";
import { ClusterServingRuntime } from "../../src/domain/apis/kserve/runtime.types.js";
import type { ImageResolution } from "../../src/ports/index.js";
import { liveServingConfig, servingReconcilers } from "../../src/reconcilers/serving/index.js";
import { startGarbageCollector, workloadReconcilers } from "../../src/reconcilers/workload/index.js";
import { existing } from "./existing.js";
import { type Answers, proberOf } from "./prober.js";
import { type RunningWorld, startWorld } from "./run.js";
import type { WorldOptions } from "./world.js";

export interface ServingWorldOptions extends WorldOptions {
  /** What the gateway answers to a probe; with what was asked for unless said. */
  readonly answers?: Answers;
  /** Why an image cannot be had; undefined for one that can. */
  readonly missing?: (image: string) => string | undefined;
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

export async function startServingWorld(options: ServingWorldOptions = {}): Promise<RunningWorld> {
  const { answers = () => undefined, missing, given = [], ...more } = options;
  const prober = proberOf(answers);
  const images = {
    resolve: async (reference: string): Promise<ImageResolution> => {
      const because = missing?.(reference);
      if (because !== undefined) return { outcome: "missing", because };
      return {
        outcome: "resolved",
        image: {
          reference,
          digest: `${reference}@sha256:abc`,
          entrypoint: [],
          defaultArgs: [],
          env: {},
          rewritesPaths: true,
        },
      };
    },
    ensure: async () => ({ env: {} }),
  };
  const kindsOf = (world: Pick<RunningWorld, "registry">) => () => [
    ...new Set(world.registry.served.all().map((served) => served.storage)),
  ];
  return startWorld({
    ...more,
    given: [onnxRuntime, ...given],
    reconcilers: (deps, inner) => [
      ...servingReconcilers({
        ...deps,
        images,
        prober,
        settings: () => ({ domain: "localhost", externalPort: 18080, apiUrl: "https://127.0.0.1:16443" }),
        config: liveServingConfig(deps.listers),
      }),
      ...workloadReconcilers(deps, {
        caCertificate: "PEM",
        kinds: kindsOf(inner),
        finalizeNamespace: (name) => inner.registry.finalizeNamespace(name, []),
      }),
    ],
    more: (inner) =>
      startGarbageCollector({
        ...inner.deps,
        client: inner.client,
        informers: inner.informers,
        kinds: kindsOf(inner),
      }),
  });
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
