// Waits for an InferenceService, and says meanwhile what it waits for.
import { follow } from "./api/follow.js";
import { type AnyObject, conditionOf, inferenceServices, isCurrent, isReady } from "./api/resources.js";
import type { Api, Context } from "./context.js";
import { CliError } from "./errors.js";
import { progress } from "./output/live.js";
import { durationText } from "./time.js";

export async function untilReady(
  { terminal, clock, signal }: Pick<Context, "terminal" | "clock" | "signal">,
  api: Api,
  object: AnyObject,
  timeoutMs: number,
): Promise<AnyObject> {
  const { name, namespace } = object.metadata;
  const deadline = new AbortController();
  const cancel = clock.after(timeoutMs, () => deadline.abort());
  const shown = progress(terminal);
  let last = object;
  try {
    const changes = follow(api, inferenceServices, {
      namespace,
      query: { fieldSelector: `metadata.name=${name}` },
      signal: AbortSignal.any([signal, deadline.signal]),
    });
    for await (const change of changes) {
      if (change.type === "gone") throw new CliError(`${name} was deleted while it was waited for`);
      last = change.object;
      if (isReady(last)) return last;
      // Work under way is Unknown; False has a cause, and waiting on does not take it away.
      if (isCurrent(last) && conditionOf(last, "Ready")?.status === "False") throw notReady(last, "");
      shown.say(`waiting for ${name}: ${stateText(last)}`);
    }
  } finally {
    cancel();
    shown.done();
  }
  throw notReady(last, ` after ${durationText(timeoutMs)}`);
}

function notReady(object: AnyObject, when: string): CliError {
  const { name, namespace } = object.metadata;
  const state = stateText(object).replace(/\.$/, "");
  return new CliError(
    `${name} is not ready${when}: ${state}. See \`drydock describe isvc ${name} -n ${namespace}\`.`,
  );
}

/** Ready's reason and message: it carries the cause from the bottom of the chain. */
export function stateText(object: AnyObject): string {
  if (!isCurrent(object)) return "the change is not taken up yet";
  const ready = conditionOf(object, "Ready");
  if (ready === undefined) return "just made";
  const why = [ready.reason, ready.message].filter(Boolean).join(": ");
  return why === "" ? `Ready=${ready.status}` : why;
}
