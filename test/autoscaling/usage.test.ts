// Class hpa, live: what real processes use of the processor decides how many there are, and every object on the way says so.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Deployment } from "../../src/domain/apis/apps/apps.types.js";
import { HorizontalPodAutoscaler } from "../../src/domain/apis/autoscaling/autoscalingV2.types.js";
import { PodAutoscaler } from "../../src/domain/apis/autoscaling/podAutoscaler.types.js";
import { Event } from "../../src/domain/apis/core/event.types.js";
import { type Drydock, start } from "../../src/index.js";
import { told } from "../world/index.js";

let drydock: Drydock;
beforeAll(async () => {
  drydock = await start();
});
afterAll(() => drydock?.dispose());

/** A third of a processor, in slices, so that its probe is answered; several times what it asks for on any machine. */
const burner =
  "setInterval(() => { const until = Date.now() + 30; while (Date.now() < until); }, 100);" +
  "require('node:http').createServer((q, r) => r.end('warm')).listen(process.env.PORT, '127.0.0.1')";

const key = { namespace: "default", name: "busy-00001" };

test("a busy processor brings a second pod, and the PodAutoscaler says so", { timeout: 40_000 }, async () => {
  await drydock.apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "busy", namespace: "default" },
    spec: {
      template: {
        metadata: {
          annotations: {
            "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev",
            "autoscaling.knative.dev/metric": "cpu",
            "autoscaling.knative.dev/target": "80",
            "autoscaling.knative.dev/max-scale": "2",
          },
        },
        spec: {
          containers: [
            {
              image: "drydock/host",
              command: [process.execPath, "-e", burner],
              resources: { requests: { cpu: "50m" } },
            },
          ],
        },
      },
    },
  });
  await drydock.ready("ksvc/busy");
  const replicas = async () => {
    const deployment = await drydock.client.get(Deployment, { ...key, name: "busy-00001-deployment" });
    return deployment?.status?.readyReplicas ?? 0;
  };
  expect(await replicas()).toBe(1);
  await expect.poll(replicas, { timeout: 30_000, interval: 200 }).toBe(2);

  const hpa = await drydock.client.get(HorizontalPodAutoscaler, key);
  expect(hpa?.spec).toMatchObject({
    minReplicas: 1,
    maxReplicas: 2,
    metrics: [{ type: "Resource", resource: { name: "cpu", target: { averageUtilization: 80 } } }],
  });
  expect(hpa?.status).toMatchObject({ desiredReplicas: 2 });
  expect(hpa?.status?.currentMetrics?.[0]?.resource?.current?.averageUtilization).toBeGreaterThan(88);
  expect(told(hpa, "ScalingActive")).toMatch(/^True ValidMetricFound/);
  const { items } = await drydock.client.list(Event, { namespace: "default" });
  expect(items.map(({ message }) => message)).toContain(
    "New size: 2; reason: cpu resource utilization (percentage of request) above target",
  );
  const scaler = async () => (await drydock.client.get(PodAutoscaler, key))?.status?.desiredScale;
  await expect.poll(scaler, { timeout: 5_000 }).toBe(2);
  expect(told(await drydock.client.get(PodAutoscaler, key))).toBe("True");
});
