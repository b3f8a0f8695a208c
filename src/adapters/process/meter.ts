/**
 * Watches what process groups use. Without root there is no cgroup to hold a limit, so memory is looked at several
 * times a second and a group past its limit is reported; CPU time is summed over a window for `kubectl top`.
 */
import type { ContainerUsage } from "../../ports/index.js";
import { memoryCheckMs, usageWindowMs } from "./limits.js";
import type { ProcessTable } from "./processTable.js";

export interface Metered {
  readonly group: number;
  readonly limitBytes: number | undefined;
  /** CPU time its processes had used before it was theirs. */
  readonly cpuMsBefore: number;
  readonly onOverLimit: () => void;
}

export interface Meter {
  watch(metered: Metered): Reading;
}

export interface Reading {
  usage(): ContainerUsage | undefined;
  end(): void;
}

interface Entry extends Metered {
  members: readonly number[];
  usage: ContainerUsage | undefined;
  last: { readonly cpuMs: number; readonly atMs: number };
}

export function processMeter(table: ProcessTable, now: () => number): Meter {
  const entries = new Set<Entry>();
  let timer: NodeJS.Timeout | undefined;
  let scannedAtMs = 0;
  let isScanning = false;

  function tick(): void {
    for (const entry of entries) checkMemory(entry, table.memoryOf(entry.members));
    if (!isScanning && now() - scannedAtMs >= usageWindowMs) void scan();
  }

  function checkMemory(entry: Entry, bytes: number | undefined): void {
    if (entry.limitBytes === undefined || bytes === undefined || bytes <= entry.limitBytes) return;
    // Forked workers share pages, which a plain sum counts once for each of them.
    const exact = table.exactMemoryOf(entry.members) ?? bytes;
    if (exact > entry.limitBytes) entry.onOverLimit();
  }

  async function scan(): Promise<void> {
    isScanning = true;
    scannedAtMs = now();
    // A table that cannot be read now is read again at the next tick.
    const rows = await table.rows().catch(() => []);
    isScanning = false;
    const atMs = now();
    for (const entry of entries) {
      const mine = rows.filter((row) => row.group === entry.group);
      if (mine.length === 0) continue;
      entry.members = mine.map((row) => row.pid);
      const memoryBytes = mine.reduce((total, row) => total + row.memoryBytes, 0);
      const cpuMs = mine.reduce((total, row) => total + row.cpuMs, 0);
      const windowMs = Math.max(atMs - entry.last.atMs, 1);
      // A member that ended takes its time with it; the sum may then fall, but use never is negative.
      const cpuNanoCores = Math.round((Math.max(cpuMs - entry.last.cpuMs, 0) / windowMs) * 1e9);
      entry.usage = { cpuNanoCores, memoryBytes, atMs, windowMs };
      entry.last = { cpuMs, atMs };
      checkMemory(entry, memoryBytes);
    }
  }

  return {
    watch(metered) {
      const entry: Entry = {
        ...metered,
        members: [metered.group],
        usage: undefined,
        last: { cpuMs: metered.cpuMsBefore, atMs: now() },
      };
      entries.add(entry);
      timer ??= setInterval(tick, memoryCheckMs).unref();
      return {
        usage: () => entry.usage,
        end() {
          entries.delete(entry);
          if (entries.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
  };
}
