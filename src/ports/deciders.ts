import type { PodAutoscaler } from "../domain/apis/autoscaling/podAutoscaler.types.js";
import type { Key } from "./client.js";

/** How many pods one Revision wants by its counts. */
export interface ScaleWish {
  /** -1 before anything could be decided. */
  readonly desiredScale: number;
  /** Room for sudden requests; below zero the activator stays in their path. */
  readonly excessBurstCapacity: number;
  readonly because: string;
}

/** One decider for each PodAutoscaler, fed with counts by the data plane. All of it is memory. */
export interface Deciders {
  /** Makes the decider, or tells it what its PodAutoscaler says now. */
  ensure(autoscaler: PodAutoscaler): ScaleWish;
  remove(key: Key): void;
  /** Hears whose wish changed, or the sign of whose burst capacity. */
  onChange(hear: (key: Key) => void): void;
}

/** Whether requests for a Revision pass somebody who can hold them: only then may its last pod go. */
export interface ActivatorProbe {
  inPath(key: Key): Promise<boolean>;
}
