// Counts in, wishes out, on a clock moved by hand.
import { describe, expect, it } from "vitest";
import { existing, fakeClock } from "../../test/world/index.js";
import { PodAutoscaler } from "../domain/apis/autoscaling/podAutoscaler.types.js";
import { readServingConfig } from "../domain/apis/config/index.js";
import { Pod } from "../domain/apis/core/pod.types.js";
import type { RevisionStat } from "../domain/autoscaling/index.js";
import type { Lister } from "../ports/index.js";
import { startAutoscaler } from "./autoscaler.js";

const key = { namespace: "models", name: "cat-1" };
const scaler = existing(PodAutoscaler, {
  metadata: {
    ...key,
    labels: { "serving.knative.dev/service": "cat", "serving.knative.dev/configuration": "cat" },
  },
  spec: {
    containerConcurrency: 10,
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "cat-1-deployment" },
  },
  status: { desiredScale: 3 },
} as never);

function pod(name: string, status: object): Pod {
  return existing(Pod, {
    metadata: { name, namespace: "models", labels: { "serving.knative.dev/revision": "cat-1" } },
    spec: { containers: [{ name: "model", image: "cat" }] },
    status,
  } as never);
}
const up = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };

function started(pods: Pod[] = []) {
  const clock = fakeClock();
  const changed: number[] = [];
  const lister = { list: () => pods } as unknown as Lister<Pod>;
  const autoscaler = startAutoscaler({
    clock,
    pods: lister,
    config: () => readServingConfig(() => undefined).autoscaler,
  });
  autoscaler.deciders.onChange(() => changed.push(clock.now()));
  const pass = (seconds: number, eachSecond: () => void = () => {}) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.moveTo(clock.now() + 1000);
      eachSecond();
      clock.runDue();
    }
  };
  const wish = () => autoscaler.deciders.ensure(scaler).desiredScale;
  return { clock, autoscaler, changed, pass, wish, pods };
}

const stat = (concurrency: number, more: Partial<RevisionStat> = {}): RevisionStat => ({
  ...key,
  podName: "activator",
  averageConcurrentRequests: concurrency,
  averageProxiedConcurrentRequests: 0,
  requestCount: concurrency,
  proxiedRequestCount: 0,
  processUptimeSeconds: 1,
  timestampMs: 0,
  ...more,
});

describe("the autoscaler", () => {
  it("decides at once for one that sleeps, in the very call that tells it", () => {
    const { autoscaler, changed, wish, clock } = started();
    expect(wish()).toBe(-1);
    autoscaler.record([stat(1)]);
    expect(changed).toEqual([clock.now()]);
    expect(wish()).toBe(1);
  });

  it("decides every two seconds else, and tells of changes only", () => {
    const { autoscaler, changed, pass, wish } = started([pod("a", up)]);
    wish();
    pass(10, () => autoscaler.record([stat(20)]));
    expect(wish()).toBe(3);
    expect(changed).toHaveLength(1);
  });

  it("does not count twice what another reporter has counted", () => {
    const { autoscaler, wish } = started();
    wish();
    autoscaler.record([stat(20, { averageProxiedConcurrentRequests: 15 })]);
    expect(wish()).toBe(1);
  });

  it("takes pods that nobody speaks of for idle", () => {
    const { pass, wish } = started([pod("a", up)]);
    wish();
    pass(2);
    expect(wish()).toBe(0);
  });

  it("takes a gateway that is too busy to speak for busy, though not for ever", () => {
    const { autoscaler, pass, wish } = started([pod("a", up), pod("b", up), pod("c", up)]);
    wish();
    pass(70, () => autoscaler.record([stat(20)]));
    expect(wish()).toBe(3);
    pass(50);
    expect(wish()).toBe(3);
    pass(70);
    expect(wish()).toBe(1);
  });

  it("lets nobody wait whom it does not know, and forgets whom it is told to", () => {
    const { autoscaler, wish } = started();
    autoscaler.record([stat(1)]);
    wish();
    autoscaler.deciders.remove(key);
    expect(autoscaler.figures()).toEqual([]);
    autoscaler.record([stat(5)]);
    expect(wish()).toBe(-1);
  });

  it("begins in panic where several pods run: a restart takes none away", () => {
    const { pass, wish } = started(["a", "b", "c", "d"].map((name) => pod(name, up)));
    wish();
    pass(58);
    expect(wish()).toBe(4);
    pass(10);
    expect(wish()).toBeLessThan(4);
  });

  it("has no timer for those that sleep", () => {
    const { pass, wish, clock } = started();
    wish();
    pass(1);
    expect(clock.nextAtMs()).toBeUndefined();
  });

  it("tells figures by upstream's names", () => {
    const { autoscaler, wish } = started([
      pod("a", up),
      pod("b", { phase: "Pending" }),
      pod("c", { phase: "Running", conditions: [{ type: "Ready", status: "False" }] }),
      pod("d", { phase: "Failed" }),
    ]);
    wish();
    autoscaler.record([stat(14)]);
    const labels = `{kn_service_name="cat",kn_configuration_name="cat",kn_revision_name="cat-1",k8s_namespace_name="models"}`;
    const lines = autoscaler.figures();
    for (const [name, value] of Object.entries({
      pods_requested: 3,
      pods_count: 1,
      pods_not_ready_count: 2,
      pods_pending_count: 1,
      pods_terminating_count: 0,
      pods_desired: 2,
      capacity_excess: -215,
      panic_mode: 1,
      concurrency_stable: 14,
      concurrency_panic: 14,
      concurrency_target: 7,
    })) {
      expect(lines).toContain(`kn_revision_${name}${labels} ${value}`);
      expect(lines).toContain(`# TYPE kn_revision_${name} gauge`);
    }
    expect(lines.join("\n")).not.toContain("rps");
  });
});
