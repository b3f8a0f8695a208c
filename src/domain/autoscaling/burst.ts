// Whether requests go to the pods themselves or past the activator, and how many activators share that (section 5.5).
import type { ScalingSettings } from "./settings.js";

export type ServeMode = "Serve" | "Proxy";

export function serveMode(wanted: number, excessBurstCapacity: number): ServeMode {
  return wanted > 0 && excessBurstCapacity >= 0 ? "Serve" : "Proxy";
}

/** Two outlive one; more where so many pods could be asked at once. */
const leastActivators = 2;

export function numActivators(
  { burstCapacity, capacity, activatorCapacity }: ScalingSettings,
  readyPods: number,
): number {
  if (burstCapacity === 0) return leastActivators;
  const load = readyPods * capacity + Math.max(burstCapacity, 0);
  return Math.max(leastActivators, Math.ceil(load / activatorCapacity));
}
