// `drydock deploy`: an InferenceService for people who would rather not write one.
import { type AnyObject, applyObject, findObject, inferenceServices, isReady } from "../api/resources.js";
import type { Context } from "../context.js";
import { usageError } from "../errors.js";
import { modelFrom } from "../modelUri.js";
import { objectText } from "../output/objects.js";
import { withApi } from "../session.js";
import { defaultNamespace } from "../targets.js";
import { parseDuration } from "../time.js";
import { untilReady } from "../untilReady.js";

export interface DeployOptions {
  readonly model: string;
  readonly format?: string;
  readonly namespace?: string;
  readonly wait?: boolean;
  readonly timeout: string;
  readonly dryRun?: string;
  readonly output?: string;
}

export async function deploy(context: Context, name: string, options: DeployOptions): Promise<void> {
  const { terminal } = context;
  if (options.dryRun !== undefined && options.dryRun !== "client") {
    throw usageError("--dry-run takes one value here: client.");
  }
  const output = options.output;
  if (output !== undefined && output !== "yaml" && output !== "json")
    throw usageError("-o takes json or yaml.");
  const timeoutMs = parseDuration(options.timeout);
  if (timeoutMs === undefined) {
    throw usageError(`invalid --timeout "${options.timeout}": write a duration such as 90s or 10m.`);
  }
  const namespace = options.namespace ?? defaultNamespace;
  const object = makeService(name, namespace, await modelFrom(options.model, options.format, context));
  if (options.dryRun === "client") {
    if (output !== undefined) terminal.out(await objectText(object, output));
    else terminal.out(`inferenceservice.serving.kserve.io/${name} created (dry run)\n`);
    return;
  }
  await withApi(context, async (api) => {
    const before = await findObject(api, inferenceServices, namespace, name);
    const after = await applyObject(api, inferenceServices, namespace, object, { force: true });
    const verb =
      before === undefined
        ? "created"
        : before.metadata.generation === after.metadata.generation
          ? "unchanged"
          : "configured";
    if (output !== undefined) terminal.out(await objectText(after, output));
    else terminal.out(`inferenceservice.serving.kserve.io/${name} ${verb}\n`);
    if (!options.wait) return;
    const ready = isReady(after) ? after : await untilReady(context, api, after, timeoutMs);
    if (output === undefined) terminal.out(`${name} is ready at ${ready.status?.url ?? "?"}\n`);
  });
}

export function makeService(
  name: string,
  namespace: string,
  model: { readonly uri: string; readonly format: string },
): AnyObject {
  return {
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: { name, namespace },
    spec: { predictor: { model: { modelFormat: { name: model.format }, storageUri: model.uri } } },
  };
}
