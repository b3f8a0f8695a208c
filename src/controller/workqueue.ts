// A key waits its turn, once: added again while waiting it is one, added while worked on it comes again after.
import type { Clock } from "../ports/index.js";
import { backoffFirstMs, backoffMaxMs } from "./limits.js";

export interface Workqueue {
  add(key: string): void;
  /** Adds later; an earlier appointment of the same key stands. */
  addAfter(key: string, ms: number): void;
  /** Adds later, the longer the more often the key failed in a row. */
  retry(key: string): void;
  forget(key: string): void;
  /** Waits for work; undefined once the queue is closed. */
  take(): Promise<string | undefined>;
  done(key: string): void;
  close(): void;
  /** Nothing waiting, nothing under way (appointments do not count). */
  readonly idle: boolean;
}

export function workqueue(clock: Clock): Workqueue {
  const waiting = new Set<string>();
  const working = new Set<string>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const appointments = new Map<string, { readonly atMs: number; readonly cancel: () => void }>();
  const takers: ((key: string | undefined) => void)[] = [];
  let closed = false;

  function add(key: string): void {
    if (closed) return;
    if (working.has(key)) {
      again.add(key);
      return;
    }
    waiting.add(key);
    hand();
  }

  function hand(): void {
    while (takers.length > 0 && waiting.size > 0) {
      const [key] = waiting;
      if (key === undefined) return;
      waiting.delete(key);
      working.add(key);
      takers.shift()?.(key);
    }
  }

  function addAfter(key: string, ms: number): void {
    if (closed) return;
    const atMs = clock.now() + ms;
    const standing = appointments.get(key);
    if (standing !== undefined && standing.atMs <= atMs) return;
    standing?.cancel();
    const cancel = clock.after(ms, () => {
      appointments.delete(key);
      add(key);
    });
    appointments.set(key, { atMs, cancel });
  }

  return {
    add,
    addAfter,
    retry(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      addAfter(key, Math.min(backoffFirstMs * 2 ** count, backoffMaxMs));
    },
    forget(key) {
      failures.delete(key);
    },
    take() {
      if (closed) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        takers.push(resolve);
        hand();
      });
    },
    done(key) {
      working.delete(key);
      if (again.delete(key)) add(key);
    },
    close() {
      closed = true;
      for (const { cancel } of appointments.values()) cancel();
      appointments.clear();
      waiting.clear();
      for (const taker of takers.splice(0)) taker(undefined);
    },
    get idle() {
      return waiting.size === 0 && working.size === 0;
    },
  };
}
