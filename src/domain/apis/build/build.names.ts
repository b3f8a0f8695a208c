// How a step is called as a container of its pod, and what the pod keeps for itself.
import type { BuildSpec } from "./build.types.js";

const prefix = "build-step-";

export function stepContainer(step: string): string {
  return prefix + step;
}

/** The step as its user wrote it. */
export function stepOf(container: string): string {
  return container.startsWith(prefix) ? container.slice(prefix.length) : container;
}

/** The step that fetches what the others work on, if there is one. */
export function sourceStep({ source }: BuildSpec): string | undefined {
  if (source?.git !== undefined) return "git-source";
  if (source?.http !== undefined) return "http-source";
  if (source?.custom !== undefined) return "custom-source";
  return undefined;
}

/** Every step by name, in the order they run. */
export function stepNames(spec: BuildSpec): readonly string[] {
  const source = sourceStep(spec);
  const own = (spec.steps ?? []).map((step, index) => step.name || `unnamed-${index}`);
  return source === undefined ? own : [source, ...own];
}

export const workspace = { volume: "workspace", path: "/workspace" } as const;

/** On a Build's pod: whose it is. */
export const buildNameLabel = "build.knative.dev/buildName";
