// Knative's webhook as the registry asks it: what a dry run tries besides, and whom it leaves alone.
import { expect, it } from "vitest";
import { dice } from "../../../test/world/index.js";
import { memoryStore } from "../../adapters/store/index.js";
import { Namespace, ResourceQuota } from "../../domain/apis/core/namespace.types.js";
import type { Resource } from "../../domain/apis/kind.js";
import { allKinds } from "../../domain/apis/kinds.js";
import { KnativeService } from "../../domain/apis/serving/service.types.js";
import { localClient } from "../localClient.js";
import { createRegistry, insideContext } from "./index.js";

const user = { name: "tester", groups: ["system:masters"] };

async function api() {
  const clock = { now: () => 1_700_000_000_000, after: () => () => {} };
  const options = { store: memoryStore(), clock, random: dice(), kinds: allKinds, freeze: true };
  const registry = await createRegistry(options);
  const create = (spec: object, { namespace = "default", dryRun = true } = {}) =>
    registry.create(
      registry.servedAs(KnativeService),
      namespace,
      {
        apiVersion: "serving.knative.dev/v1",
        kind: "Service",
        metadata: { name: "cat", namespace },
        spec: { template: { spec } },
      } as unknown as Resource,
      { ...insideContext(user), dryRun },
    );
  return { registry, create, client: localClient(registry, user) };
}

const badName = { containers: [{ name: "Not_A_Name", image: "cat:v1" }] };

it("tries the template as a pod in a dry run, and only there", async () => {
  const { create } = await api();
  await expect(create(badName)).rejects.toMatchObject({
    reason: "BadRequest",
    message: expect.stringMatching(
      /^admission webhook "validation.webhook.serving.knative.dev" denied the request: validation callback failed: dry run failed with Pod "cat-dry-run" is invalid: spec.containers\[0\].name: .*: spec.template$/s,
    ),
  });
  await create({ containers: [{ image: "cat:v1", resources: { limits: { memory: "1Gi" } } }] });
  await create(badName, { dryRun: false });
});

it("finds in a dry run what a quota would refuse", async () => {
  const { client, create } = await api();
  await client.create(ResourceQuota, {
    metadata: { name: "few", namespace: "default" },
    spec: { hard: { "limits.memory": "1Gi" } },
  } as never);
  const containers = [{ image: "cat:v1", resources: { limits: { memory: "2Gi" } } }];
  await expect(create({ containers })).rejects.toMatchObject({
    message: expect.stringContaining(
      'dry run failed with pods "cat-dry-run" is forbidden: exceeded quota: few',
    ),
  });
});

it("leaves a namespace alone that is exempt", async () => {
  const { client, create } = await api();
  const labels = { "webhooks.knative.dev/exclude": "true" };
  await client.create(Namespace, { metadata: { name: "free", labels } } as never);
  const spec = { containers: [{ image: "cat:v1" }], timeoutSeconds: 9_999 };
  await expect(create(spec, { dryRun: false })).rejects.toThrow("expected 0 <= 9999 <= 600");
  await create(spec, { namespace: "free", dryRun: false });
});
