// What a whole pod asks for and may use: its containers together, or what its largest init step needs.
import { addQuantities, compareQuantities } from "../quantity/index.js";
import type { Container } from "./container.types.js";
import type { PodSpec } from "./pod.types.js";

/** Quantities by name of a resource. */
export interface Amounts {
  readonly [resource: string]: string;
}

export function podRequests(spec: PodSpec): Amounts {
  return wholePod(spec, (container) => container.resources?.requests);
}

export function podLimits(spec: PodSpec): Amounts {
  return wholePod(spec, (container) => container.resources?.limits);
}

type Part = (container: Container) => { readonly [resource: string]: string | number } | undefined;

function wholePod(spec: PodSpec, part: Part): Amounts {
  const inits = spec.initContainers ?? [];
  // An init container that keeps running is there as long as the others.
  const sidecars = inits.filter(({ restartPolicy }) => restartPolicy === "Always");
  const steps = inits.filter(({ restartPolicy }) => restartPolicy !== "Always");
  const running = [...spec.containers, ...sidecars].map(part).reduce<Amounts>(added, {});
  const most = steps.map(part).reduce<Amounts>(larger, running);
  return added(most, Object.keys(most).length === 0 ? undefined : spec.overhead);
}

export function added(a: Amounts, b: ReturnType<Part>): Amounts {
  const sum: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b ?? {})) sum[name] = addQuantities(sum[name] ?? "0", amount);
  return sum;
}

function larger(a: Amounts, b: ReturnType<Part>): Amounts {
  const most: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b ?? {})) {
    const before = most[name];
    if (before === undefined || compareQuantities(before, amount) < 0) most[name] = String(amount);
  }
  return most;
}
