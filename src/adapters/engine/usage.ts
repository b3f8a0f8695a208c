// What a container uses, for `kubectl top`: the engine is asked when somebody asks, and its last answer is given at once.
import type { ContainerUsage } from "../../ports/index.js";
import type { EngineApi } from "./api.js";
import { usageWindowMs } from "./limits.js";

interface Stats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly stats?: { readonly inactive_file?: number; readonly total_inactive_file?: number };
  };
}

export function usageReader(api: EngineApi, id: string, now: () => number): () => ContainerUsage | undefined {
  let usage: ContainerUsage | undefined;
  let before: { readonly cpuNanos: number; readonly atMs: number } | undefined;
  let isAsking = false;

  async function ask(): Promise<void> {
    const stats = await api.call<Stats>("GET", `/containers/${id}/stats`, {
      query: { stream: false, "one-shot": true },
    });
    const atMs = now();
    const cpuNanos = stats.cpu_stats?.cpu_usage?.total_usage ?? 0;
    const { usage: bytes = 0, stats: parts } = stats.memory_stats ?? {};
    // Pages of files that could be dropped at once are not what a container needs.
    const memoryBytes = Math.max(bytes - (parts?.total_inactive_file ?? parts?.inactive_file ?? 0), 0);
    const windowMs = Math.max(atMs - (before?.atMs ?? atMs), 1);
    const cpuNanoCores =
      before === undefined ? 0 : Math.round(Math.max((cpuNanos - before.cpuNanos) / windowMs, 0) * 1000);
    usage = { cpuNanoCores, memoryBytes, atMs, windowMs };
    before = { cpuNanos, atMs };
  }

  return () => {
    if (!isAsking && now() - (usage?.atMs ?? 0) >= usageWindowMs) {
      isAsking = true;
      // An engine that does not answer leaves the last answer standing.
      void ask()
        .catch(() => {})
        .finally(() => {
          isAsking = false;
        });
    }
    return usage;
  };
}
