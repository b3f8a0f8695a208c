// metrics.k8s.io: what pods and nodes use right now, for `kubectl top`.
import type { Pod } from "../../domain/apis/core/pod.types.js";
import type { Resource } from "../../domain/apis/kind.js";
import { isoSeconds } from "../../domain/apis/meta/time.js";
import type { PodRuntime, PodUsage } from "../../ports/index.js";
import type { Call } from "../http/call.js";
import { listRequestOf } from "../http/read.js";
import { answer } from "../http/respond.js";
import { keyOf, type Served, type Stored, selectionOf } from "../registry/index.js";
import { noSuchResource, notFound } from "../status.js";
import type { Virtual } from "./virtual.js";

const metrics = { group: "metrics.k8s.io", version: "v1beta1", verbs: ["get", "list"] } as const;

export function usage(runtime: PodRuntime): readonly Virtual[] {
  return [
    {
      ...metrics,
      plural: "pods",
      singular: "pod",
      kind: "PodMetrics",
      namespaced: true,
      answer: async (call, path) => {
        const shown = podMetrics(call, runtime, path.namespace);
        await reply(call, "PodMetrics", path.name, "pods", shown);
      },
    },
    {
      ...metrics,
      plural: "nodes",
      singular: "node",
      kind: "NodeMetrics",
      namespaced: false,
      answer: async (call, path) => {
        await reply(call, "NodeMetrics", path.name, "nodes", nodeMetrics(call, runtime));
      },
    },
  ];
}

interface Metrics {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

async function reply(
  call: Call,
  kind: string,
  name: string,
  plural: string,
  items: readonly Metrics[],
): Promise<void> {
  const apiVersion = `${metrics.group}/${metrics.version}`;
  const whole = items.map((item) => ({ kind, apiVersion, ...item }));
  if (name === "") return answer(call, 200, { kind: `${kind}List`, apiVersion, metadata: {}, items: whole });
  const found = whole.find((item) => item.metadata.name === name);
  if (found === undefined) throw notFound({ group: metrics.group, plural }, name);
  return answer(call, 200, found);
}

function podMetrics(call: Call, runtime: PodRuntime, namespace: string): readonly Metrics[] {
  const served = servedOf(call, "pods");
  const selection = selectionOf(served, listRequestOf(call.query, namespace));
  return runtime.usage().flatMap(({ pod, containers, atMs, windowMs }) => {
    if (selection.namespace !== undefined && pod.namespace !== selection.namespace) return [];
    const stored: Stored | undefined = served.collection.get(keyOf(pod.namespace, pod.name));
    if (stored === undefined || selection.match?.(stored.object) === false) return [];
    const { name, labels, creationTimestamp } = stored.object.metadata;
    return {
      metadata: { name, namespace: pod.namespace, labels, creationTimestamp },
      timestamp: isoSeconds(atMs),
      window: `${Math.round(windowMs / 1000)}s`,
      containers: containers.map((one) => ({
        name: one.name,
        usage: amounts(one.cpuNanoCores, one.memoryBytes),
      })),
    };
  });
}

function nodeMetrics(call: Call, runtime: PodRuntime): readonly Metrics[] {
  const pods = servedOf(call, "pods").collection;
  const byNode = new Map<string, PodUsage[]>();
  for (const used of runtime.usage()) {
    const pod = pods.get(keyOf(used.pod.namespace, used.pod.name))?.object as (Pod & Resource) | undefined;
    const node = pod?.spec?.nodeName;
    if (node === undefined) continue;
    byNode.set(node, [...(byNode.get(node) ?? []), used]);
  }
  return servedOf(call, "nodes")
    .collection.list({})
    .map(({ object: { metadata } }) => {
      const used = byNode.get(metadata.name) ?? [];
      const containers = used.flatMap((one) => one.containers);
      return {
        metadata: {
          name: metadata.name,
          labels: metadata.labels,
          creationTimestamp: metadata.creationTimestamp,
        },
        timestamp: isoSeconds(Math.max(0, ...used.map((one) => one.atMs)) || call.house.clock.now()),
        window: `${Math.round(Math.max(10_000, ...used.map((one) => one.windowMs)) / 1000)}s`,
        usage: amounts(
          containers.reduce((sum, one) => sum + one.cpuNanoCores, 0),
          containers.reduce((sum, one) => sum + one.memoryBytes, 0),
        ),
      };
    });
}

function servedOf(call: Call, plural: string): Served {
  const served = call.house.registry.served.find("", "v1", plural);
  if (served === undefined) throw noSuchResource();
  return served;
}

function amounts(cpuNanoCores: number, memoryBytes: number) {
  return { cpu: `${Math.round(cpuNanoCores)}n`, memory: `${Math.ceil(memoryBytes / 1024)}Ki` };
}
