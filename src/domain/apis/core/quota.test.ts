import { describe, expect, it } from "vitest";
import { claimBreaches, limitBreaches, withLimitDefaults } from "./limitRange.js";
import type { LimitRange, ResourceQuota } from "./namespace.types.js";
import type { Pod } from "./pod.types.js";
import { podLimits, podRequests } from "./podResources.js";
import { covers, exceeded, growth, unspecified, usageOf, usedOf } from "./quota.js";

type Sizes = { readonly [resource: string]: string };
const nowMs = Date.UTC(2026, 0, 1);
const pods = { group: "", plural: "pods" };

const container = (name: string, requests?: Sizes, limits?: Sizes, more: object = {}) => ({
  name,
  image: "i",
  ...more,
  resources: { ...(requests && { requests }), ...(limits && { limits }) },
});
const pod = (spec: object, more: object = {}) =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "n" },
    spec,
    ...more,
  }) as unknown as Pod;
const quota = (hard: Sizes, more: object = {}) =>
  ({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "rq" },
    spec: { hard, ...more },
  }) as unknown as ResourceQuota;
const range = (...limits: readonly object[]) =>
  ({
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "lr" },
    spec: { limits },
  }) as unknown as LimitRange;

const small = { cpu: "100m", memory: "1Gi" };
const one = pod({ containers: [container("c", small, { cpu: "1", memory: "1Gi" })] });

describe("what a pod asks for", () => {
  it("is the sum of its containers", () => {
    const spec = { containers: [container("a", small), container("b", { cpu: "900m" })] };
    expect(podRequests(spec as never)).toEqual({ cpu: "1", memory: "1Gi" });
    expect(podLimits(spec as never)).toEqual({});
  });

  it("is what its largest init step needs, where that is more; sidecars stay, and overhead comes on top", () => {
    const spec = {
      containers: [container("a", small)],
      initContainers: [
        container("load", { memory: "3Gi" }),
        container("proxy", { cpu: "50m" }, undefined, { restartPolicy: "Always" }),
      ],
      overhead: { cpu: "10m" },
    };
    expect(podRequests(spec as never)).toEqual({ cpu: "160m", memory: "3Gi" });
  });
});

describe("what an object uses", () => {
  it.each<[string, Pod, Sizes]>([
    [
      "a pod: itself and what it asks for",
      one,
      {
        "count/pods": "1",
        pods: "1",
        cpu: "100m",
        memory: "1Gi",
        "requests.cpu": "100m",
        "requests.memory": "1Gi",
        "limits.cpu": "1",
        "limits.memory": "1Gi",
      },
    ],
    [
      "one that has ended is an object only",
      { ...one, status: { phase: "Succeeded" } } as Pod,
      { "count/pods": "1" },
    ],
    ["one that failed too", { ...one, status: { phase: "Failed" } } as Pod, { "count/pods": "1" }],
    [
      "one that should be gone by now too",
      {
        ...one,
        metadata: {
          ...one.metadata,
          deletionTimestamp: "2025-12-31T23:59:00Z",
          deletionGracePeriodSeconds: 30,
        },
      } as Pod,
      { "count/pods": "1" },
    ],
    [
      "an extended resource counts by its request",
      pod({ containers: [container("c", { "nvidia.com/gpu": "2" })] }),
      { "count/pods": "1", pods: "1", "requests.nvidia.com/gpu": "2" },
    ],
  ])("%s", (_sentence, object, usage) => {
    expect(usageOf(pods, object, nowMs)).toEqual(usage);
  });

  it.each<[string, { group: string; plural: string }, object, Sizes]>([
    ["a Secret", { group: "", plural: "secrets" }, {}, { "count/secrets": "1", secrets: "1" }],
    ["a Deployment", { group: "apps", plural: "deployments" }, {}, { "count/deployments.apps": "1" }],
    [
      "a Service on node ports",
      { group: "", plural: "services" },
      { spec: { type: "NodePort", ports: [{ port: 1 }, { port: 2 }] } },
      { "count/services": "1", services: "1", "services.nodeports": "2" },
    ],
    [
      "a Service with a load balancer",
      { group: "", plural: "services" },
      { spec: { type: "LoadBalancer", ports: [{ port: 1 }], allocateLoadBalancerNodePorts: false } },
      { "count/services": "1", services: "1", "services.nodeports": "0", "services.loadbalancers": "1" },
    ],
    [
      "a claim of a class",
      { group: "", plural: "persistentvolumeclaims" },
      { spec: { storageClassName: "fast", resources: { requests: { storage: "5Gi" } } } },
      {
        "count/persistentvolumeclaims": "1",
        persistentvolumeclaims: "1",
        "requests.storage": "5Gi",
        "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "fast.storageclass.storage.k8s.io/requests.storage": "5Gi",
      },
    ],
  ])("%s", (_sentence, kind, given, usage) => {
    expect(usageOf(kind, { metadata: { name: "x" }, ...given } as never, nowMs)).toEqual(usage);
  });
});

describe("scopes", () => {
  const plain = pod({ containers: [container("c")] });
  const hurried = pod({ containers: [container("c", small)], activeDeadlineSeconds: 5 });
  const dear = pod({ containers: [container("c", small)], priorityClassName: "high" });

  it.each<[object, readonly Pod[]]>([
    [{}, [plain, hurried, dear]],
    [{ scopes: ["BestEffort"] }, [plain]],
    [{ scopes: ["NotBestEffort"] }, [hurried, dear]],
    [{ scopes: ["Terminating"] }, [hurried]],
    [{ scopes: ["NotTerminating", "NotBestEffort"] }, [dear]],
    [
      {
        scopeSelector: {
          matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }],
        },
      },
      [dear],
    ],
    [
      { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "DoesNotExist" }] } },
      [plain, hurried],
    ],
    [{ scopes: ["Unheard"] }, []],
  ])("%j", (scopes, covered) => {
    const scoped = quota({ pods: "1" }, scopes);
    expect([plain, hurried, dear].filter((each) => covers(scoped, pods, each))).toEqual(covered);
  });

  it("leave all but pods alone", () => {
    const scoped = quota({ secrets: "1", pods: "1" }, { scopes: ["NotBestEffort"] });
    expect(covers(scoped, { group: "", plural: "secrets" }, one)).toBe(false);
  });
});

describe("a quota", () => {
  it("wants to know what it bounds, container by container", () => {
    const two = pod({
      containers: [container("b", small), container("a")],
      initContainers: [container("i")],
    });
    expect(unspecified(quota({ "limits.cpu": "1", memory: "1Gi", pods: "3" }), two)).toBe(
      "must specify limits.cpu for: a,b,i; memory for: a,i",
    );
    expect(unspecified(quota({ "requests.cpu": "1" }), one)).toBeUndefined();
  });

  it("says in order what is exceeded, and how much is used", () => {
    const bound = quota({ "requests.memory": "1Gi", pods: "1", "requests.cpu": "1" });
    const used = usedOf(bound, pods, [one], nowMs);
    expect(used).toEqual({ "requests.memory": "1Gi", pods: "1", "requests.cpu": "100m" });
    expect(exceeded(bound, usageOf(pods, one, nowMs), used)).toBe(
      "exceeded quota: rq, requested: pods=1,requests.memory=1Gi, used: pods=1,requests.memory=1Gi, limited: pods=1,requests.memory=1Gi",
    );
  });

  it("is charged for growth only", () => {
    expect(growth({ a: "3Gi", b: "1", c: "2" }, { a: "1Gi", b: "1", c: "3" })).toEqual({ a: "2Gi" });
  });
});

describe("a LimitRange", () => {
  it("fills in what containers leave open, and tells", () => {
    const limits = range({
      type: "Container",
      default: { cpu: "1", memory: "2Gi" },
      defaultRequest: { cpu: "1m" },
    });
    const bare = pod({
      containers: [container("a"), container("b", small, small)],
      initContainers: [container("i", { cpu: "1" })],
    });
    expect(withLimitDefaults(bare, [limits])).toMatchObject({
      metadata: {
        annotations: {
          "kubernetes.io/limit-ranger":
            "LimitRanger plugin set: cpu request for container a; cpu, memory limit for container a; cpu, memory limit for init container i",
        },
      },
      spec: {
        containers: [
          { resources: { limits: { cpu: "1", memory: "2Gi" }, requests: { cpu: "1m" } } },
          { resources: { limits: small, requests: small } },
        ],
        initContainers: [{ resources: { limits: { cpu: "1", memory: "2Gi" }, requests: { cpu: "1" } } }],
      },
      status: { qosClass: "Burstable" },
    });
    expect(withLimitDefaults(one, [limits])).toBe(one);
  });

  it.each<[object, Sizes | undefined, Sizes | undefined, string | undefined]>([
    [
      { max: { memory: "1Gi" } },
      undefined,
      { memory: "2Gi" },
      "maximum memory usage per Container is 1Gi, but limit is 2Gi",
    ],
    [
      { max: { memory: "1Gi" } },
      { memory: "2Gi" },
      { memory: "1Gi" },
      "maximum memory usage per Container is 1Gi, but request is 2Gi",
    ],
    [
      { max: { memory: "1Gi" } },
      undefined,
      undefined,
      "maximum memory usage per Container is 1Gi.  No limit is specified",
    ],
    [
      { min: { cpu: "100m" } },
      { cpu: "50m" },
      undefined,
      "minimum cpu usage per Container is 100m, but request is 50m",
    ],
    [
      { min: { cpu: "100m" } },
      { cpu: "100m" },
      { cpu: "50m" },
      "minimum cpu usage per Container is 100m, but limit is 50m",
    ],
    [
      { min: { cpu: "100m" } },
      undefined,
      undefined,
      "minimum cpu usage per Container is 100m.  No request is specified",
    ],
    [
      { maxLimitRequestRatio: { cpu: "2" } },
      { cpu: "100m" },
      { cpu: "300m" },
      "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
    ],
    [
      { maxLimitRequestRatio: { cpu: "2" } },
      undefined,
      { cpu: "1" },
      "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
    ],
    [
      { maxLimitRequestRatio: { cpu: "2" } },
      { cpu: "1" },
      undefined,
      "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
    ],
    [
      { max: { cpu: "1", memory: "1Gi" } },
      undefined,
      { cpu: "2", memory: "2Gi" },
      "[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]",
    ],
    [
      { max: { cpu: "1" }, min: { cpu: "1" }, maxLimitRequestRatio: { cpu: "1" } },
      { cpu: "1" },
      { cpu: "1" },
      undefined,
    ],
  ])("%j for %j and %j", (item, requests, limits, words) => {
    const bounds = range({ type: "Container", ...item });
    expect(limitBreaches(pod({ containers: [container("c", requests, limits)] }), bounds)).toBe(words);
  });

  it("bounds pods as a whole", () => {
    const big = pod({
      containers: [container("a", undefined, { cpu: "1" }), container("b", undefined, { cpu: "1" })],
    });
    expect(limitBreaches(big, range({ type: "Pod", max: { cpu: "1500m" } }))).toBe(
      "maximum cpu usage per Pod is 1500m, but limit is 2",
    );
  });

  it.each([
    ["20Gi", "maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 20Gi"],
    ["1Mi", "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi"],
    ["5Gi", undefined],
  ])("bounds a claim of %s", (storage, words) => {
    const bounds = range({
      type: "PersistentVolumeClaim",
      min: { storage: "1Gi" },
      max: { storage: "10Gi" },
    });
    expect(claimBreaches({ spec: { resources: { requests: { storage } } } } as never, bounds)).toBe(words);
  });
});
