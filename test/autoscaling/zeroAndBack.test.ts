// Real processes: from zero to several and back to zero, and no request is lost on the way.
import { Agent, request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import { Revision } from "../../src/domain/apis/serving/revision.types.js";
import { type Drydock, start } from "../../src/index.js";
import { told } from "../world/index.js";
import { slowModel } from "./model.js";

let drydock: Drydock;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

beforeAll(async () => {
  drydock = await start();
  await drydock.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "config-autoscaler", namespace: "knative-serving" },
    data: { "stable-window": "6s", "scale-to-zero-grace-period": "1s" },
  });
  await drydock.apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "slow", namespace: "default" },
    spec: {
      template: {
        // Few enough for two cores.
        metadata: { annotations: { "autoscaling.knative.dev/max-scale": "4" } },
        spec: {
          containerConcurrency: 2,
          containers: [slowModel(2)],
        },
      },
    },
  });
  await drydock.ready("ksvc/slow");
});
afterAll(async () => {
  agent.destroy();
  await drydock?.dispose();
});

const revision = { namespace: "default", name: "slow-00001" };

async function pods(): Promise<number> {
  const { items } = await drydock.client.list(Pod, { namespace: "default" });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length;
}

async function active(): Promise<string> {
  return told(await drydock.client.get(Revision, revision), "Active");
}

function ask(): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(drydock.gatewayUrl);
    const asked = request(
      { agent, hostname, port, headers: { host: "slow.default.localhost" }, path: "/" },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (text: string) => {
          body += text;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
        answer.on("error", reject);
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

test("0 -> N -> 0, every request answered", { timeout: 120_000 }, async () => {
  await expect.poll(active, { timeout: 30_000, interval: 100 }).toMatch(/^False NoTraffic/);
  await expect.poll(pods, { timeout: 15_000, interval: 100 }).toBe(0);

  const answers: { readonly status: number; readonly body: string }[] = [];
  let most = 0;
  let going = true;
  const askers = Array.from({ length: 8 }, async () => {
    while (going) answers.push(await ask());
  });
  const endMs = performance.now() + 8_000;
  while (performance.now() < endMs) {
    most = Math.max(most, await pods());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  going = false;
  await Promise.all(askers);

  expect(answers.length).toBeGreaterThan(100);
  expect(answers.filter(({ status, body }) => status !== 200 || body !== "slept")).toEqual([]);
  // Eight at once at 1.4 a pod is six; the bound is four.
  expect(most).toBe(4);

  await expect.poll(pods, { timeout: 40_000, interval: 100 }).toBe(0);
  expect(await active()).toMatch(/^False NoTraffic/);
  expect(told(await drydock.client.get(Revision, revision))).toBe("True");
  // And once more, by one request.
  expect(await ask()).toEqual({ status: 200, body: "slept" });
  // What the wake was made of, from the request on.
  const { items } = await drydock.client.list(Pod, { namespace: "default" });
  const [woken] = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const started = woken?.status?.conditions?.find(({ type }) => type === "drydock.dev/Started");
  expect(started?.message).toMatch(/decide=\d+ create=\d+ files=\d+ sandbox=\d+ load=\d+ probe=\d+/);
});
