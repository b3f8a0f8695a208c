// The one machine, as a Node object.
import { arch, cpus, platform, release, totalmem, type } from "node:os";
import { Node } from "../domain/apis/core/node.types.js";
import { isoSeconds } from "../domain/apis/meta/time.js";
import { isPortError } from "../ports/index.js";
import type { KubeletDeps } from "./deps.js";
import { maxPods } from "./limits.js";
import { type NodeFacts, podIP } from "./setup/downward.js";

export function nodeFacts(name: string): NodeFacts {
  return { name, cpus: cpus().length || 1, memoryBytes: totalmem() };
}

export async function registerNode(deps: KubeletDeps, facts: NodeFacts, version: string): Promise<void> {
  const { client, clock } = deps;
  const key = { namespace: "", name: facts.name };
  const now = isoSeconds(clock.now());
  const architecture = { x64: "amd64", ia32: "386" }[arch() as string] ?? arch();
  const labels = {
    "kubernetes.io/hostname": facts.name,
    "kubernetes.io/os": platform(),
    "kubernetes.io/arch": architecture,
    "drydock.dev/sandbox": deps.sandbox.scheme,
  };
  await client.create(Node, { metadata: { name: facts.name, labels }, spec: {} }).catch((error: unknown) => {
    if (!isPortError(error, "AlreadyExists")) throw error;
  });
  // The taint says "not ready yet", which no other controller here would take away.
  await client.patch(Node, key, { metadata: { labels }, spec: { taints: null } }, { type: "merge" });
  const capacity = {
    cpu: String(facts.cpus),
    memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`,
    pods: String(maxPods),
  };
  const status: Node["status"] = {
    capacity,
    allocatable: capacity,
    conditions: [
      {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        message: "kubelet is posting ready status",
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      },
    ],
    addresses: [
      { type: "InternalIP", address: podIP },
      { type: "Hostname", address: facts.name },
    ],
    nodeInfo: {
      machineID: "",
      systemUUID: "",
      bootID: "",
      kernelVersion: release(),
      osImage: type(),
      containerRuntimeVersion: `${deps.sandbox.scheme}://${version}`,
      kubeletVersion: `v${version}`,
      kubeProxyVersion: "",
      operatingSystem: platform(),
      architecture,
    },
  };
  await client.patch(Node, key, { status }, { type: "merge", subresource: "status" });
}
