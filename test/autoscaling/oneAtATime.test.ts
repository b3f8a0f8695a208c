// Real processes: a promise of one request at a time is kept by every pod, while many ask.

import { Agent, request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import { type Drydock, start } from "../../src/index.js";
import { slowModel } from "./model.js";

const pods = 3;
const askers = 32;
const requests = 480;

let drydock: Drydock;
const agent = new Agent({ keepAlive: true, maxSockets: askers });

beforeAll(async () => {
  drydock = await start();
  await drydock.apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "single", namespace: "default" },
    spec: {
      template: {
        metadata: {
          annotations: {
            "autoscaling.knative.dev/min-scale": String(pods),
            "autoscaling.knative.dev/max-scale": String(pods),
            "autoscaling.knative.dev/initial-scale": String(pods),
          },
        },
        spec: {
          containerConcurrency: 1,
          containers: [slowModel(1, 10)],
        },
      },
    },
  });
  await drydock.ready("ksvc/single");
});
afterAll(async () => {
  agent.destroy();
  await drydock?.dispose();
});

test("never two at once in a pod, every pod works, nobody is turned away", { timeout: 60_000 }, async () => {
  const running = await drydock.client.list(Pod, { namespace: "default" });
  expect(running.items).toHaveLength(pods);
  const seen = new Map<string, number>();
  let left = requests;
  await Promise.all(
    Array.from({ length: askers }, async () => {
      while (left > 0) {
        left -= 1;
        const { status, body, pid } = await ask();
        expect({ status, body }).toEqual({ status: 200, body: "slept" });
        seen.set(pid, (seen.get(pid) ?? 0) + 1);
      }
    }),
  );
  expect(seen.size).toBe(pods);
});

function ask(): Promise<{ readonly status: number; readonly body: string; readonly pid: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(drydock.gatewayUrl);
    const headers = { host: "single.default.localhost" };
    const asked = request({ agent, hostname, port, headers, path: "/" }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (text: string) => {
        body += text;
      });
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, body, pid: String(answer.headers["x-pid"]) }),
      );
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}
