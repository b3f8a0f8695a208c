import { describe, expect, it } from "vitest";
import type { Resource } from "../kind.js";
import { builtinKinds } from "../kinds.js";

const nowMs = Date.parse("2026-01-01T00:10:00Z");
const metadata = { name: "a", namespace: "ns", creationTimestamp: "2026-01-01T00:05:00Z" };

function cells(kindName: string, object: object): readonly unknown[] {
  const kind = builtinKinds.find((one) => one.kind === kindName);
  return (kind?.columns ?? []).map((column) =>
    column.cell?.({ metadata, ...object } as unknown as Resource, nowMs),
  );
}

const container = { name: "c", image: "i" };
const status = (more: object) => ({
  name: "c",
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  ...more,
});

describe("pods", () => {
  const line = (podStatus: object, spec: object = {}, meta: object = {}) =>
    cells("Pod", {
      metadata: { ...metadata, ...meta },
      spec: { containers: [container], ...spec },
      status: podStatus,
    }).slice(1, 4);

  it.each<[string, object, object, object, unknown[]]>([
    ["pending", { phase: "Pending" }, {}, {}, ["0/1", "Pending", "0"]],
    [
      "running",
      { phase: "Running", containerStatuses: [status({ ready: true, state: { running: {} } })] },
      {},
      {},
      ["1/1", "Running", "0"],
    ],
    [
      "waiting",
      {
        phase: "Pending",
        containerStatuses: [status({ state: { waiting: { reason: "ImagePullBackOff" } } })],
      },
      {},
      {},
      ["0/1", "ImagePullBackOff", "0"],
    ],
    [
      "crashing",
      {
        phase: "Running",
        containerStatuses: [
          status({
            restartCount: 3,
            state: { waiting: { reason: "CrashLoopBackOff" } },
            lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:09:00Z" } },
          }),
        ],
      },
      {},
      {},
      ["0/1", "CrashLoopBackOff", "3 (60s ago)"],
    ],
    [
      "ended",
      { phase: "Failed", containerStatuses: [status({ state: { terminated: { exitCode: 3 } } })] },
      {},
      {},
      ["0/1", "ExitCode:3", "0"],
    ],
    [
      "killed",
      {
        phase: "Failed",
        containerStatuses: [status({ state: { terminated: { exitCode: 137, signal: 9 } } })],
      },
      {},
      {},
      ["0/1", "Signal:9", "0"],
    ],
    ["evicted", { phase: "Failed", reason: "Evicted" }, {}, {}, ["0/1", "Evicted", "0"]],
    [
      "initializing",
      { phase: "Pending", initContainerStatuses: [status({ state: { running: {} } })] },
      { initContainers: [container, container] },
      {},
      ["0/1", "Init:0/2", "0"],
    ],
    [
      "failing to initialize",
      {
        phase: "Pending",
        initContainerStatuses: [status({ state: { terminated: { exitCode: 1, reason: "Error" } } })],
      },
      { initContainers: [container] },
      {},
      ["0/1", "Init:Error", "0"],
    ],
    [
      "terminating",
      { phase: "Running", containerStatuses: [status({ ready: true, state: { running: {} } })] },
      {},
      { deletionTimestamp: "2026-01-01T00:09:00Z" },
      ["1/1", "Terminating", "0"],
    ],
    [
      "half completed",
      {
        phase: "Running",
        conditions: [{ type: "Ready", status: "True" }],
        containerStatuses: [
          status({ ready: true, state: { running: {} } }),
          status({ state: { terminated: { exitCode: 0, reason: "Completed" } } }),
        ],
      },
      { containers: [container, container] },
      {},
      ["1/2", "Running", "0"],
    ],
    [
      "with a sidecar",
      {
        phase: "Running",
        initContainerStatuses: [
          status({ started: true, ready: true, restartCount: 2, state: { running: {} } }),
        ],
        containerStatuses: [status({ ready: true, state: { running: {} } })],
      },
      { initContainers: [{ ...container, restartPolicy: "Always" }] },
      {},
      ["2/2", "Running", "2"],
    ],
  ])("%s", (_name, podStatus, spec, meta, want) => {
    expect(line(podStatus, spec, meta)).toEqual(want);
  });

  it("has nothing to say of what is not there", () => {
    expect(cells("Pod", { spec: { containers: [container] } }).slice(4)).toEqual([
      "5m",
      "<none>",
      "<none>",
      "<none>",
      "<none>",
    ]);
  });
});

it.each<[string, object, unknown[]]>([
  [
    "Service",
    {
      spec: {
        type: "ClusterIP",
        clusterIPs: ["None"],
        ports: [
          { port: 80, protocol: "TCP" },
          { port: 81, nodePort: 32012, protocol: "TCP" },
        ],
        selector: { a: "b" },
      },
    },
    ["a", "ClusterIP", "None", "<none>", "80/TCP,81:32012/TCP", "5m", "a=b"],
  ],
  [
    "Service",
    { spec: { type: "LoadBalancer", clusterIP: "1.2.3.4" } },
    ["a", "LoadBalancer", "1.2.3.4", "<pending>", "<none>", "5m", "<none>"],
  ],
  [
    "Service",
    { spec: { type: "ExternalName", externalName: "x.y" } },
    ["a", "ExternalName", "<none>", "x.y", "<none>", "5m", "<none>"],
  ],
  [
    "Deployment",
    {
      spec: {
        replicas: 2,
        selector: { matchLabels: { a: "b" } },
        template: { spec: { containers: [container] } },
      },
      status: { readyReplicas: 1, updatedReplicas: 2 },
    },
    ["a", "1/2", 2, 0, "5m", "c", "i", "a=b"],
  ],
  [
    "ReplicaSet",
    { spec: { replicas: 2, selector: {} }, status: { replicas: 1 } },
    ["a", 2, 1, 0, "5m", "", "", "<none>"],
  ],
  ["ConfigMap", { data: { a: "" }, binaryData: { b: "" } }, ["a", 2, "5m"]],
  ["Secret", { type: "Opaque", data: { a: "" } }, ["a", "Opaque", 1, "5m"]],
  ["ServiceAccount", {}, ["a", 0, "5m"]],
  ["Namespace", { status: { phase: "Active" } }, ["a", "Active", "5m"]],
  [
    "Node",
    {
      metadata: { ...metadata, labels: { "node-role.kubernetes.io/control-plane": "" } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: "Ready", status: "True" }],
        addresses: [{ type: "InternalIP", address: "1.1.1.1" }],
        nodeInfo: { kubeletVersion: "v1" },
      },
    },
    [
      "a",
      "Ready,SchedulingDisabled",
      "control-plane",
      "5m",
      "v1",
      "1.1.1.1",
      "<none>",
      "<unknown>",
      "<unknown>",
      "<unknown>",
    ],
  ],
  [
    "Event",
    {
      involvedObject: { kind: "Pod", name: "p" },
      type: "Normal",
      reason: "R",
      message: " m ",
      source: { component: "k", host: "h" },
      firstTimestamp: "2026-01-01T00:05:00Z",
      lastTimestamp: "2026-01-01T00:09:30Z",
      count: 3,
    },
    ["30s", "Normal", "R", "pod/p", "", "k, h", "m", "5m", 3, "a"],
  ],
  [
    "Endpoints",
    { subsets: [{ addresses: [{ ip: "1.1.1.1" }, { ip: "1.1.1.2" }], ports: [{ port: 1 }, { port: 2 }] }] },
    ["a", "1.1.1.1:1,1.1.1.2:1,1.1.1.1:2 + 1 more...", "5m"],
  ],
  ["Endpoints", {}, ["a", "<none>", "5m"]],
  ["EndpointSlice", { addressType: "IPv4", endpoints: [] }, ["a", "IPv4", "<unset>", "<unset>", "5m"]],
  [
    "PersistentVolumeClaim",
    {
      spec: { volumeName: "v" },
      status: { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] },
    },
    ["a", "Bound", "v", "1Gi", "RWO", "", "<unset>", "5m", "<unset>"],
  ],
  [
    "ResourceQuota",
    { status: { hard: { pods: "4", "limits.cpu": "2" }, used: { pods: "1" } } },
    ["a", "5m", "pods: 1/4", "limits.cpu: 0/2"],
  ],
  [
    "RoleBinding",
    {
      roleRef: { kind: "Role", name: "r" },
      subjects: [
        { kind: "User", name: "u" },
        { kind: "ServiceAccount", namespace: "n", name: "s" },
      ],
    },
    ["a", "Role/r", "5m", "u", "", "n/s"],
  ],
  [
    "HorizontalPodAutoscaler",
    {
      spec: {
        scaleTargetRef: { kind: "Deployment", name: "d" },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [{ type: "Resource", resource: { name: "cpu", target: { averageUtilization: 80 } } }],
      },
      status: { currentReplicas: 2 },
    },
    ["a", "Deployment/d", "cpu: <unknown>/80%", "1", 3, 2, "5m"],
  ],
  ["Lease", { spec: { holderIdentity: "h" } }, ["a", "h", "5m"]],
  [
    "PodDisruptionBudget",
    { spec: { minAvailable: 1 }, status: { disruptionsAllowed: 2 } },
    ["a", "1", "N/A", 2, "5m"],
  ],
])("%s in one line", (kind, object, want) => {
  expect(cells(kind, object)).toEqual(want);
});
