// Many Revisions that sleep, asked in the same moment: each wakes, and each request is answered by its own model.
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import { type Drydock, start } from "../../src/index.js";
import { root } from "../sources.js";

/** `npm run bench -- coldstart --burst 100` wakes a hundred, with models. */
const count = 20;
const names = Array.from({ length: count }, (_, at) => `sleeper-${at}`);
let drydock: Drydock;

beforeAll(async () => {
  drydock = await start();
  await drydock.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "config-autoscaler", namespace: "knative-serving" },
    data: { "allow-zero-initial-scale": "true" },
  });
  await drydock.apply(names.map(service));
  await Promise.all(names.map((name) => drydock.ready(`ksvc/${name}`)));
}, 120_000);
afterAll(() => drydock?.dispose());

function service(name: string) {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: {
      template: {
        metadata: { annotations: { "autoscaling.knative.dev/initial-scale": "0" } },
        spec: {
          containers: [
            {
              image: "drydock/host",
              command: [process.execPath, join(root, "test/autoscaling/server.mjs")],
              env: [{ name: "SAYS", value: name }],
              readinessProbe: { httpGet: { path: "/healthz" }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

function ask(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(drydock.gatewayUrl);
    const asked = request(
      { hostname, port, headers: { host: `${name}.default.localhost` }, path: "/", agent: false },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (text: string) => {
          body += text;
        });
        answer.on("end", () => resolve(`${answer.statusCode} ${body}`));
        answer.on("error", reject);
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

test(`${count} at once, none lost`, { timeout: 120_000 }, async () => {
  expect((await drydock.client.list(Pod, { namespace: "default" })).items).toEqual([]);
  const answers = await Promise.all(names.map(ask));
  expect(answers).toEqual(names.map((name) => `200 ${name}`));
  const { items } = await drydock.client.list(Pod, { namespace: "default" });
  expect(items).toHaveLength(count);
});
