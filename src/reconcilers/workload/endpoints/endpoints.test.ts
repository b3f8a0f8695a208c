import { describe, expect, it } from "vitest";
import { existing, ownedChild, reconcilerTable, startWorld } from "../../../../test/world/index.js";
import { Endpoints } from "../../../domain/apis/core/endpoints.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { EndpointSlice } from "../../../domain/apis/discovery/discovery.types.js";
import { endpointsReconciler } from "./endpoints.js";

const key = "models/cat";
const selector = { app: "cat" };

function service(
  more: Partial<NonNullable<Service["spec"]>> = {},
  labels?: { readonly [key: string]: string },
) {
  return existing(Service, {
    metadata: { name: "cat", namespace: "models", labels },
    spec: { selector, ports: [{ name: "http", port: 80, targetPort: 8012 }], ...more },
  });
}

interface PodStory {
  readonly ports?: string;
  readonly ready?: boolean;
  readonly leaving?: boolean;
  readonly ip?: string;
  readonly phase?: string;
  /** The container that runs in it. */
  readonly runs?: string;
  readonly reason?: string;
}

function pod(
  name: string,
  { ports, ready = true, leaving = false, ip = "127.0.0.1", phase = "Running", runs, reason }: PodStory = {},
) {
  return existing(Pod, {
    metadata: {
      name,
      namespace: "models",
      labels: selector,
      ...(ports === undefined ? {} : { annotations: { "drydock.dev/ports": ports } }),
      ...(leaving ? { deletionTimestamp: "2026-01-01T00:00:30Z" } : {}),
    },
    spec: {
      nodeName: "laptop",
      containers: [{ name: "model", image: "cat:v1", ports: [{ name: "metrics", containerPort: 9090 }] }],
    },
    status: {
      phase,
      podIP: ip,
      conditions: [{ type: "Ready", status: ready ? "True" : "False", ...(reason && { reason }) }],
      ...(runs && {
        containerStatuses: [
          { ...stateless, name: "model", containerID: `podman://${runs}`, state: { running: {} } },
        ],
      }),
    },
  });
}

const stateless = { image: "cat:v1", imageID: "", ready: false, restartCount: 0, started: true };

const address = (name: string) => ({
  ip: "127.0.0.1",
  nodeName: "laptop",
  targetRef: { kind: "Pod", name, namespace: "models", uid: `pod-models-${name}` },
});
const subsets = (...wanted: readonly object[]) => [
  { kind: "Endpoints", metadata: { name: "cat" }, ...(wanted.length === 0 ? {} : { subsets: wanted }) },
];
const port = (number: number, name = "http") => ({ name, port: number, protocol: "TCP" });

describe("the addresses of a Service", () => {
  reconcilerTable(endpointsReconciler, [
    {
      name: "each pod has its own real ports",
      given: [
        service({}, { team: "felines" }),
        pod("a", { ports: '{"8012":31001}' }),
        pod("b", { ports: '{"8012":31002}' }),
      ],
      key,
      wantObjects: subsets(
        { addresses: [address("a")], ports: [port(31001)] },
        { addresses: [address("b")], ports: [port(31002)] },
      ),
      also: (world) => {
        expect(world.get(Endpoints, key)?.metadata.labels).toEqual({ team: "felines" });
        const slices = world.list(EndpointSlice, "models");
        expect(slices.map((slice) => slice.ports)).toEqual(
          expect.arrayContaining([[port(31001)], [port(31002)]]),
        );
        for (const slice of slices) {
          expect(slice).toMatchObject({
            addressType: "IPv4",
            metadata: {
              labels: {
                "kubernetes.io/service-name": "cat",
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
              },
              ownerReferences: [{ kind: "Service", name: "cat", controller: true }],
            },
            endpoints: [
              { addresses: ["127.0.0.1"], conditions: { ready: true, serving: true, terminating: false } },
            ],
          });
        }
      },
    },
    {
      name: "a port the annotation lacks is itself, and pods of equal ports share a subset",
      given: [service(), pod("a"), pod("b", { ready: false })],
      key,
      wantObjects: subsets({
        addresses: [address("a")],
        notReadyAddresses: [address("b")],
        ports: [port(8012)],
      }),
      also: (world) => expect(world.list(EndpointSlice)).toHaveLength(1),
    },
    {
      name: "of each pod is told which container serves, as long as one does and its network is there",
      given: [
        service(),
        pod("a", { runs: "0123456789abcdef" }),
        pod("b", { runs: "bbbbbbbbbbbb", ready: false, reason: "ContainersNotReady" }),
        pod("c", { runs: "cccccccccccc", leaving: true }),
        pod("d", { runs: "dddddddddddd", ready: false, reason: "EngineAway" }),
        pod("e"),
      ],
      key,
      also: (world) =>
        expect(world.get(Endpoints, key)?.metadata.annotations).toEqual({
          "drydock.dev/lives": '{"a":"456789abcdef","b":"bbbbbbbbbbbb","c":"cccccccccccc"}',
        }),
    },
    {
      name: "a named port is looked up in the containers, then among the real ones",
      given: [
        service({
          ports: [
            { name: "http", port: 80, targetPort: 8012 },
            { name: "metrics", port: 9090, targetPort: "metrics" },
            { name: "none", port: 1, targetPort: "none" },
          ],
        }),
        pod("a", { ports: '{"8012":31001,"9090":31009}' }),
      ],
      key,
      wantObjects: subsets({ addresses: [address("a")], ports: [port(31001), port(31009, "metrics")] }),
    },
    {
      name: "pods that leave, ended or have no address are no targets",
      given: [
        service(),
        existing(Pod, {
          ...pod("gone", { leaving: true }),
          metadata: { ...pod("gone", { leaving: true }).metadata, deletionGracePeriodSeconds: 30 },
        }),
        pod("done", { phase: "Failed" }),
        pod("new", { ip: "" }),
      ],
      key,
      wantObjects: subsets(),
      also: (world) => {
        expect(world.get(Endpoints, key)?.subsets).toBeUndefined();
        expect(world.list(EndpointSlice)).toEqual([]);
      },
    },
    {
      name: "pods that are not ready are published where the Service asks for it",
      given: [service({ publishNotReadyAddresses: true }), pod("a", { ready: false })],
      key,
      wantObjects: subsets({ addresses: [address("a")], ports: [port(8012)] }),
    },
    {
      name: "nonsense in the annotation is no port",
      given: [service(), pod("a", { ports: "{" }), pod("b", { ports: '{"8012":"x"}' })],
      key,
      wantObjects: subsets({ addresses: [address("a"), address("b")], ports: [port(8012)] }),
    },
    {
      name: "a Service without selector keeps the addresses others gave it",
      given: [
        service({ selector: {} }),
        existing(Endpoints, {
          metadata: { name: "cat", namespace: "models" },
          subsets: [{ addresses: [{ ip: "10.0.0.1" }] }],
        }),
      ],
      key,
      wantObjects: subsets({ addresses: [{ ip: "10.0.0.1" }] }),
    },
    {
      name: "what an earlier Service of the name left behind is taken over, stale slices go",
      given: [
        service(),
        ownedChild(
          existing(Service, { metadata: { name: "cat", namespace: "models", uid: "earlier" }, spec: {} }),
          existing(Endpoints, {
            metadata: { name: "cat", namespace: "models" },
            subsets: [{ addresses: [{ ip: "10.0.0.1" }] }],
          }),
        ),
        existing(EndpointSlice, {
          metadata: {
            name: "cat-old",
            namespace: "models",
            labels: {
              "kubernetes.io/service-name": "cat",
              "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
          },
          addressType: "IPv4",
          endpoints: [],
        }),
      ],
      key,
      wantGone: ["EndpointSlice/cat-old"],
      wantObjects: [
        { kind: "Endpoints", metadata: { name: "cat", ownerReferences: [{ uid: "service-models-cat" }] } },
      ],
      also: (world) => expect(world.get(Endpoints, key)?.subsets).toBeUndefined(),
    },
  ]);

  it("follow the pods as they come, turn ready and leave", async () => {
    const world = await startWorld({
      reconcilers: (deps) => [endpointsReconciler(deps)],
      given: [service()],
    });
    world.kubelet.decide(() => ({ is: "running" }));
    const wish = {
      metadata: { name: "a", namespace: "models", labels: selector },
      spec: { containers: [{ name: "model", image: "cat:v1", ports: [{ containerPort: 8012 }] }] },
    };
    await world.apply(Pod, wish);
    expect(world.get(Endpoints, key)?.subsets).toMatchObject([
      { notReadyAddresses: [{ ip: "127.0.0.1" }], ports: [port(30_000)] },
    ]);
    world.kubelet.decide(() => ({ is: "ready" }));
    await world.settle();
    expect(world.get(Endpoints, key)?.subsets).toEqual([
      { addresses: [expect.anything()], ports: [port(30_000)] },
    ]);
    world.kubelet.holdDeleted(true);
    await world.remove(Pod, "models/a");
    expect(world.get(Endpoints, key)?.subsets).toBeUndefined();
    await world.close();
  });
});
