// `drydock demo`: the whole line once, on data of its own: a YAML in, predictions out, nothing left behind.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { follow } from "../api/follow.js";
import { type AnyObject, applyObject, inferenceServices } from "../api/resources.js";
import type { Api, Context, PrivateInstance } from "../context.js";
import { CliError } from "../errors.js";
import { readManifests } from "../manifests.js";
import { progress } from "../output/live.js";
import { type Paint, paint } from "../output/style.js";
import { elapsedText } from "../time.js";
import { stateText } from "../untilReady.js";
import { makeService } from "./deploy.js";
import { timingText } from "./predict.js";

/** Ample for a model of a few kilobytes whose runtime is installed. */
const readyWithinMs = 60_000;

const species = ["setosa", "versicolor", "virginica"];

export async function demo(context: Context): Promise<void> {
  const { terminal, clock, instances } = context;
  const colors = paint(terminal.outColors);
  const heading = (text: string): void => terminal.out(`\n${colors.bold(text)}\n`);
  const startMs = clock.now();
  terminal.out("Drydock demo: an iris classifier, from YAML to predictions.\n");

  await ensureOnnx(context);
  const shown = progress(terminal);
  heading("1. Start a private instance");
  const upMs = clock.now();
  const instance = await instances.startPrivate(shown.say).finally(shown.done);
  try {
    terminal.out(
      `   API ${colors.cyan(instance.apiUrl)}   gateway ${colors.cyan(instance.gatewayUrl)}   ` +
        `${colors.dim(`up in ${elapsedText(clock.now() - upMs)}`)}\n`,
    );

    heading("2. Apply examples/onnx-iris.yaml");
    const [manifest] = await readManifests([join(context.examples, "onnx-iris.yaml")], context);
    if (manifest === undefined) throw new CliError("examples/onnx-iris.yaml is empty");
    const ready = await applyAndWatch(context, instance.api, manifest.object, colors);

    heading("3. Predict");
    await predictRows(context, instance, ready, colors);

    heading("4. A model that is not there says so");
    await showHonestFailure(context, instance.api, colors);
  } finally {
    await instance.close();
  }
  terminal.out(
    `\n${colors.green("Done")} in ${elapsedText(clock.now() - startMs)}. All of it is stopped and removed again. ` +
      `Yours to keep: ${colors.bold("drydock up")}\n`,
  );
}

async function ensureOnnx(context: Context): Promise<void> {
  const { terminal, signal } = context;
  const installer = await context.runtimes();
  const onnx = (await installer.list()).find(({ name }) => name === "onnx");
  if (onnx?.installed) return;
  terminal.out("The first run installs ONNX Runtime, once for this machine.\n");
  const shown = progress(terminal);
  try {
    await installer.install("onnx", { from: undefined, signal, onProgress: shown.say });
  } finally {
    shown.done();
  }
}

/** Prints each condition when it turns True, with the time since the apply. */
async function applyAndWatch(
  context: Context,
  api: Api,
  object: AnyObject,
  colors: Paint,
): Promise<AnyObject> {
  const { terminal, clock } = context;
  const namespace = "default";
  const appliedMs = clock.now();
  const seen = new Set<string>();
  await applyObject(api, inferenceServices, namespace, object, { force: true });
  const ready = await watchUntil(context, api, object.metadata.name, (current) => {
    for (const { type, status } of current.status?.conditions ?? []) {
      if (status !== "True" || seen.has(type)) continue;
      seen.add(type);
      const after = elapsedText(clock.now() - appliedMs).padStart(10);
      terminal.out(`${after}  ${colors.green("True")}  ${type}\n`);
    }
    return seen.has("Ready") && current.status?.url !== undefined;
  });
  terminal.out(`${" ".repeat(12)}${colors.cyan(ready.status?.url ?? "")}\n`);
  return ready;
}

async function watchUntil(
  { clock, signal }: Context,
  api: Api,
  name: string,
  isEnough: (object: AnyObject) => boolean,
): Promise<AnyObject> {
  const deadline = new AbortController();
  const cancel = clock.after(readyWithinMs, () => deadline.abort());
  let last: AnyObject | undefined;
  try {
    const query = { fieldSelector: `metadata.name=${name}` };
    const both = AbortSignal.any([signal, deadline.signal]);
    for await (const change of follow(api, inferenceServices, {
      namespace: "default",
      query,
      signal: both,
    })) {
      last = change.object;
      if (isEnough(last)) return last;
    }
  } finally {
    cancel();
  }
  signal.throwIfAborted();
  const state = last === undefined ? "nothing was seen of it" : stateText(last);
  throw new CliError(`${name} did not get there within ${elapsedText(readyWithinMs)}: ${state}`);
}

async function predictRows(
  context: Context,
  { gatewayUrl }: PrivateInstance,
  service: AnyObject,
  colors: Paint,
): Promise<void> {
  const { terminal, callModel, signal } = context;
  const { name } = service.metadata;
  const body = await readFile(join(context.examples, "iris-input.json"), "utf8");
  const { instances: rows } = JSON.parse(body) as { readonly instances: readonly (readonly number[])[] };
  const { host } = new URL(service.status?.url ?? "");
  const path = `/v1/models/${name}:predict`;
  terminal.out(`   curl http://${host}${path} -d @examples/iris-input.json\n`);
  const answer = await callModel({ gateway: gatewayUrl, host, path, body, signal });
  if (answer.status !== 200)
    throw new CliError(`the model answered HTTP ${answer.status}: ${answer.body.trim()}`);
  const { predictions } = JSON.parse(answer.body) as { readonly predictions: readonly number[] };
  rows.forEach((row, at) => {
    const predicted = predictions[at] ?? -1;
    const numbers = row.map((value) => value.toFixed(1)).join(", ");
    terminal.out(`   [${numbers}]  ->  ${predicted}  ${colors.green(species[predicted] ?? "?")}\n`);
  });
  terminal.out(`   ${colors.dim(timingText(answer))}\n`);
  // The first request opens connections; the second shows what the rest will cost.
  const again = await callModel({ gateway: gatewayUrl, host, path, body, signal });
  terminal.out(`   ${colors.dim(`once more: ${timingText(again)}`)}\n`);
}

async function showHonestFailure(context: Context, api: Api, colors: Paint): Promise<void> {
  const { terminal, clock } = context;
  const model = { uri: "file:///drydock/examples/models/no-such-model", format: "onnx" };
  const appliedMs = clock.now();
  await applyObject(api, inferenceServices, "default", makeService("no-such-model", "default", model), {
    force: true,
  });
  const failed = await watchUntil(context, api, "no-such-model", (current) =>
    (current.status?.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "False"),
  );
  const after = elapsedText(clock.now() - appliedMs).padStart(10);
  terminal.out(`${after}  ${colors.red("False")}  Ready  ${stateText(failed)}\n`);
}
