// How the InferenceServices fare, until the signal: a small table drawn anew, or one line a change off a terminal.
import { follow } from "./api/follow.js";
import { type AnyObject, conditionOf, inferenceServices } from "./api/resources.js";
import type { Context, Instance } from "./context.js";
import { errorLine } from "./errors.js";
import { columns } from "./output/columns.js";
import { liveBlock } from "./output/live.js";
import { type Paint, paint, paintStatus } from "./output/style.js";
import { clockText } from "./time.js";

export async function showModels(context: Context, instance: Instance): Promise<void> {
  const { signal, terminal } = context;
  const ended = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    const api = await context.instances.connect(instance);
    try {
      const changes = follow(api, inferenceServices, { namespace: undefined, signal });
      if (terminal.outIsTty) await drawTable(context, changes);
      else await printChanges(context, changes);
    } finally {
      api.close();
    }
  } catch (error) {
    // Losing sight of the models is no reason to end the server.
    if (!signal.aborted) terminal.err(`${errorLine(error)}\n`);
  }
  await ended;
}

type Changes = ReturnType<typeof follow>;

async function drawTable({ terminal }: Context, changes: Changes): Promise<void> {
  const colors = paint(terminal.outColors);
  const block = liveBlock(terminal);
  const models = new Map<string, AnyObject>();
  const draw = (): void => block.draw(tableOf([...models.values()], colors));
  draw();
  for await (const { type, object } of changes) {
    if (type === "gone") models.delete(nameOf(object));
    else models.set(nameOf(object), object);
    draw();
  }
}

function tableOf(models: readonly AnyObject[], colors: Paint): readonly string[] {
  if (models.length === 0) {
    return [colors.dim("No models yet. Deploy one: drydock deploy NAME --model PATH_OR_URI")];
  }
  const sorted = [...models].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const rows = sorted.map((model) => {
    const { status = "Unknown", reason = "" } = conditionOf(model, "Ready") ?? {};
    return [nameOf(model), paintStatus(colors, status), reason, model.status?.url ?? ""];
  });
  const [head = "", ...lines] = columns().lines([["NAME", "READY", "REASON", "URL"], ...rows]);
  // A message is as long as its cause needs; below its model it pushes no column aside.
  const messages = sorted.map((model) => conditionOf(model, "Ready")?.message ?? "");
  return [
    head,
    ...lines.flatMap((line, at) => (messages[at] ? [line, colors.dim(`  ${messages[at]}`)] : [line])),
  ];
}

async function printChanges({ terminal, clock }: Context, changes: Changes): Promise<void> {
  const last = new Map<string, string>();
  for await (const { type, object } of changes) {
    const name = nameOf(object);
    const ready = conditionOf(object, "Ready");
    const parts = [ready?.reason, ready?.message, ready?.status === "True" ? object.status?.url : undefined];
    const text =
      type === "gone"
        ? "deleted"
        : [`Ready=${ready?.status ?? "Unknown"}`, ...parts].filter(Boolean).join("  ");
    if (last.get(name) === text) continue;
    last.set(name, text);
    if (type === "gone") last.delete(name);
    terminal.out(`${clockText(clock.now())}  ${name}  ${text}\n`);
  }
}

function nameOf({ metadata }: AnyObject): string {
  return metadata.namespace === "default" ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
