// One model that is rolled over and over: its InferenceService, its answers, and how it comes to rest.
import { setTimeout as wait } from "node:timers/promises";
import { post } from "./api.mjs";

const services = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices";
const name = "crash";
const settleWithinMs = 90_000;

export function makeModel({ uris, gatewayPort, input, expected }) {
  let wanted = uris[0];
  let pending;

  async function create(client) {
    const { status, body } = await client.call("POST", services, {
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { name },
      spec: { predictor: { model: { modelFormat: { name: "onnx" }, storageUri: wanted } } },
    });
    if (status !== 201)
      throw new Error(`the InferenceService was not made: ${status} ${body?.message ?? body}`);
  }

  /** Rolls to the other URI; a connection that breaks leaves the write open. */
  async function roll(client) {
    pending = uris[(uris.indexOf(wanted) + 1) % uris.length];
    const patch = { spec: { predictor: { model: { storageUri: pending } } } };
    const { status, body } = await client.call(
      "PATCH",
      `${services}/${name}`,
      patch,
      "application/merge-patch+json",
    );
    if (status !== 200) throw new Error(`the rollout answered ${status}: ${body?.message ?? body}`);
    wanted = pending;
    pending = undefined;
  }

  async function checkSpec(client) {
    const { status, body } = await client.call("GET", `${services}/${name}`);
    if (status !== 200) return [`the InferenceService answered ${status}`];
    const uri = body.spec.predictor.model.storageUri;
    const isRight = uri === wanted || uri === pending;
    const problem = `the model's URI is ${uri}; acknowledged was ${wanted}, under way ${pending ?? "nothing"}`;
    wanted = uri;
    pending = undefined;
    return isRight ? [] : [problem];
  }

  /** Time until a prediction is right again, counted from when it began to be missed. */
  async function answers(withinMs, sinceMs) {
    const startedMs = performance.now();
    let last = "nothing";
    while (performance.now() - startedMs < withinMs) {
      const url = `http://127.0.0.1:${gatewayPort}/serving/default/${name}/v1/models/${name}:predict`;
      const answer = await post(url, input).catch((error) => ({
        status: error.code ?? error.message,
        body: "",
      }));
      if (answer.status === 200) {
        const got = JSON.stringify(answer.body);
        if (got !== expected) throw new Error(`the model answered ${got}, not ${expected}`);
        return performance.now() - sinceMs;
      }
      last = `${answer.status} ${JSON.stringify(answer.body)}`;
      await wait(20);
    }
    throw new Error(`no prediction within ${withinMs} ms; the last answer was ${last}`);
  }

  /** Ready with the last URI, and nothing of earlier rollouts runs any more. */
  async function settles(client) {
    const startedMs = performance.now();
    let state = "";
    while (performance.now() - startedMs < settleWithinMs) {
      const { body: service } = await client.call("GET", `${services}/${name}`);
      const { body: pods } = await client.call("GET", "/api/v1/namespaces/default/pods");
      const ready = service.status?.conditions?.find(({ type }) => type === "Ready");
      const { latestReadyRevision, latestCreatedRevision } = service.status?.components?.predictor ?? {};
      const isNew = latestReadyRevision === latestCreatedRevision;
      if (ready?.status === "True" && isNew && pods.items.length === 1) return performance.now() - startedMs;
      const names = pods.items.map(({ metadata, status }) => `${metadata.name} ${status?.phase}`).join(", ");
      state = `Ready ${ready?.status} ${ready?.message ?? ""}, ${latestReadyRevision} of ${latestCreatedRevision}, pods: ${names}`;
      await wait(100);
    }
    throw new Error(`the model did not come to rest: ${state}`);
  }

  return { create, roll, checkSpec, answers, settles };
}
