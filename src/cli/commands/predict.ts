// `drydock predict`: one request to a model through the gateway, and how long each hop took.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readStarted, startedCondition } from "../../domain/apis/core/started.js";
import {
  type AnyObject,
  conditionOf,
  findObject,
  getObject,
  inferenceServices,
  pods,
} from "../api/resources.js";
import type { Context, Instance, ModelAnswer } from "../context.js";
import { CliError, Quiet, usageError } from "../errors.js";
import { paint } from "../output/style.js";
import { withApi } from "../session.js";
import { defaultNamespace } from "../targets.js";
import { elapsedText } from "../time.js";

export interface PredictOptions {
  readonly data: string;
  readonly namespace?: string;
  readonly path?: string;
}

export async function predict(context: Context, name: string, options: PredictOptions): Promise<void> {
  const { terminal } = context;
  const path = options.path ?? `/v1/models/${name}:predict`;
  if (!path.startsWith("/")) throw usageError(`--path must begin with "/": "${path}".`);
  const body = await bodyOf(context, options.data);
  const namespace = options.namespace ?? defaultNamespace;
  const { answer, started } = await withApi(context, async (api, instance) => {
    const service = await getObject(api, inferenceServices, namespace, name);
    const called = await call(context, instance, service, path, body);
    const woken = wokenPod(called);
    const pod = woken === undefined ? undefined : await findObject(api, pods, namespace, woken);
    return { answer: called, started: pod && conditionOf(pod, startedCondition)?.message };
  });
  const painted = paint(terminal.errColors);
  const ok = answer.status >= 200 && answer.status < 300;
  if (ok) terminal.out(answer.body.endsWith("\n") ? answer.body : `${answer.body}\n`);
  else {
    const shown = answer.body.trim();
    terminal.err(
      `${painted.red(`HTTP ${answer.status}`)} from ${hopOf(answer)}${shown === "" ? "" : `: ${shown}`}\n`,
    );
  }
  terminal.err(`${painted.dim(timingText(answer))}\n`);
  const cold = coldText(answer, started);
  if (cold !== undefined) terminal.err(`${painted.dim(cold)}\n`);
  if (!ok) throw new Quiet(1);
}

async function bodyOf({ cwd, terminal }: Context, data: string): Promise<string> {
  if (data === "-" || data === "@-") return terminal.readStdin();
  if (!data.startsWith("@")) return data;
  const file = data.slice(1);
  try {
    return await readFile(resolve(cwd, file), "utf8");
  } catch (cause) {
    throw new CliError(`cannot read ${file}: ${(cause as Error).message}`, 1, { cause });
  }
}

async function call(
  { callModel, signal }: Context,
  { gateway }: Instance,
  service: AnyObject,
  path: string,
  body: string,
): Promise<ModelAnswer> {
  const { name, namespace } = service.metadata;
  const url = service.status?.url;
  if (url === undefined) {
    const ready = conditionOf(service, "Ready");
    const why = [ready?.reason, ready?.message].filter(Boolean).join(": ");
    throw new CliError(
      `${name} has no URL yet${why === "" ? "" : ` (${why})`}. See \`drydock describe isvc ${name} -n ${namespace}\`.`,
    );
  }
  const { host, hostname } = new URL(url);
  const isLocal = hostname.endsWith(".svc.cluster.local");
  return callModel({ gateway: isLocal ? gateway.localUrl : gateway.url, host, path, body, signal });
}

/** Only the gateway gives a reason of its own; any other answer is the model server's. */
function hopOf({ headers }: ModelAnswer): string {
  const reason = headers["x-drydock-reason"];
  return reason === undefined ? "the model server" : `the gateway (${reason})`;
}

/** `2.9 ms in all: gateway 0.4 ms, pod 2.1 ms`. */
export function timingText({ headers, totalMs }: ModelAnswer): string {
  const hops = [...(headers["server-timing"] ?? "").matchAll(/([\w-]+);dur=([\d.]+)/g)].map(
    ([, hop, ms]) => `${hop} ${elapsedText(Number(ms))}`,
  );
  return `${elapsedText(totalMs)} in all${hops.length === 0 ? "" : `: ${hops.join(", ")}`}`;
}

/** The pod whose start this request waited for, as the gateway names it. */
function wokenPod({ headers }: ModelAnswer): string | undefined {
  return /(?:^|, *)cold;desc="([^"]+)"/.exec(headers["server-timing"] ?? "")?.[1];
}

/**
 * `cold start of iris-1: decide 3.0 ms, create 1.0 ms, files 6.0 ms, sandbox 2.0 ms, load 4.0 ms, probe 1.0 ms; routing
 * 2.0 ms; first byte after 21 ms`. Of what the gateway held the request for, that which was no step of the pod's start
 * was the way to the decision and back to the gateway.
 */
function coldText(answer: ModelAnswer, started: string | undefined): string | undefined {
  const pod = wokenPod(answer);
  if (pod === undefined) return undefined;
  const steps = readStarted(started ?? "");
  const held = /(?:^|, *)hold;dur=([\d.]+)/.exec(answer.headers["server-timing"] ?? "")?.[1];
  const restMs = Number(held) - steps.reduce((total, { ms }) => total + ms, 0);
  const parts = [
    ...(steps.length === 0 ? [] : [steps.map(({ phase, ms }) => `${phase} ${elapsedText(ms)}`).join(", ")]),
    ...(steps.length === 0 || !(restMs >= 0) ? [] : [`routing ${elapsedText(restMs)}`]),
    `first byte after ${elapsedText(answer.firstByteMs)}`,
  ];
  return `cold start of ${pod}: ${parts.join("; ")}`;
}
