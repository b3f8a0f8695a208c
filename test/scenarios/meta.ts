// What a scenario's test tells the reporter.
export interface ScenarioMeta {
  readonly name: string;
  /** Ready of the topmost object, in short. */
  readonly reason: string;
  /** From the last thing done to the last word said. */
  readonly tookMs: number;
  readonly clock: "fake" | "real";
  /** Of several runs with real processes, each one's time. */
  readonly allMs?: readonly number[];
  /** What took its time by design, and is no measure of ours. */
  readonly deadline?: boolean;
}

declare module "vitest" {
  interface TaskMeta {
    scenario?: ScenarioMeta;
  }
}
