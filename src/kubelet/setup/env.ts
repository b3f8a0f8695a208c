// A container's environment: references followed, $(NAME) expanded, PORT set to the port it really gets.
import type { Container, EnvVar } from "../../domain/apis/core/container.types.js";
import type { Pod } from "../../domain/apis/core/pod.types.js";
import type { Client } from "../../ports/index.js";
import { fieldValue, type NodeFacts, resourceValue } from "./downward.js";
import { expand } from "./expand.js";
import { isProblem, type SetupProblem } from "./problem.js";
import { configMapSource, type KeyedSource, secretSource } from "./sources.js";

export interface EnvContext {
  readonly client: Client;
  readonly node: NodeFacts;
  /** Where the container must listen, and where each port of the pod really is. */
  readonly port: number | undefined;
  readonly hostPortOf: (containerPort: number) => number | undefined;
}

export type Env = { readonly [name: string]: string };

export async function resolveEnv(
  pod: Pod,
  container: Container,
  context: EnvContext,
): Promise<Env | SetupProblem> {
  const env: Record<string, string> = { HOSTNAME: pod.metadata.name };
  if (context.port !== undefined) env["PORT"] = String(context.port);

  for (const from of container.envFrom ?? []) {
    const reference = from.configMapRef ?? from.secretRef;
    if (reference === undefined) continue;
    const read = from.configMapRef === undefined ? secretSource : configMapSource;
    const source = await read(context.client, pod.metadata.namespace ?? "", reference.name ?? "");
    if (source.data === undefined && !reference.optional) return notFound(source);
    for (const [key, value] of Object.entries(source.data ?? {}))
      env[(from.prefix ?? "") + key] = String(value);
  }

  for (const variable of container.env ?? []) {
    const value = await variableValue(variable, env, pod, container, context);
    if (isProblem(value)) return value;
    if (value !== undefined) env[variable.name] = value;
  }
  return env;
}

async function variableValue(
  { name, value, valueFrom }: EnvVar,
  before: Env,
  pod: Pod,
  container: Container,
  context: EnvContext,
): Promise<string | undefined | SetupProblem> {
  if (valueFrom === undefined) {
    const text = expand(value ?? "", before);
    // The contract's PORT is a number inside a container; here several pods share one machine.
    return name === "PORT" ? String(context.hostPortOf(Number(text)) ?? context.port ?? text) : text;
  }
  if (valueFrom.fieldRef !== undefined) {
    const path = valueFrom.fieldRef.fieldPath;
    return fieldValue(pod, path, context.node.name) ?? { problem: `unsupported fieldPath: ${path}` };
  }
  if (valueFrom.resourceFieldRef !== undefined) {
    const { resource, divisor, containerName } = valueFrom.resourceFieldRef;
    const about = containerNamed(pod, containerName) ?? container;
    return (
      resourceValue(about, resource, divisor, context.node) ?? {
        problem: `unsupported container resource : ${resource}`,
      }
    );
  }
  const reference = valueFrom.configMapKeyRef ?? valueFrom.secretKeyRef;
  if (reference === undefined) return "";
  const read = valueFrom.configMapKeyRef === undefined ? secretSource : configMapSource;
  const namespace = pod.metadata.namespace ?? "";
  const source = await read(context.client, namespace, reference.name ?? "");
  const found = source.data?.[reference.key];
  if (found !== undefined) return String(found);
  if (reference.optional) return undefined;
  if (source.data === undefined) return notFound(source);
  return { problem: `couldn't find key ${reference.key} in ${source.kind} ${namespace}/${source.name}` };
}

export function containerNamed(pod: Pod, name: string | undefined): Container | undefined {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find(
    (one) => one.name === name,
  );
}

function notFound(source: KeyedSource): SetupProblem {
  return { problem: `${source.word} "${source.name}" not found` };
}
