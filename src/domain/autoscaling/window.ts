/**
 * Counts of the last seconds: a ring of one bucket a second, averaged over the time in which anything was heard
 * (knative-serving.md, section 5.2). All times are whole seconds; several values of one second add up.
 */

export type Aggregation = "linear" | "weighted-exponential";

export interface Window {
  record(atSeconds: number, value: number): void;
  average(nowSeconds: number): number;
  /** Nothing was heard for longer than the window. */
  isEmpty(nowSeconds: number): boolean;
  /** Keeps what still fits, the newest first. */
  resize(seconds: number): void;
}

/** Averages are compared and shown: noise beyond the sixth place is none of anybody's business. */
const precision = 1e6;

/** The weights of a window add up to this share of everything; the newest second weighs at least a fifth. */
const covered = 0.9999;
const leastWeight = 0.2;

export function makeWindow(windowSeconds: number, aggregation: Aggregation = "linear"): Window {
  let buckets = new Array<number>(bucketsOf(windowSeconds)).fill(0);
  let total = 0;
  let first = Number.NEGATIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;

  const at = (second: number): number => mod(second, buckets.length);

  function clear(from: number, to: number): void {
    for (let second = from; second <= to; second += 1) {
      total -= buckets[at(second)] ?? 0;
      buckets[at(second)] = 0;
    }
  }

  function linear(now: number): number {
    const silent = now - last;
    const heard = last - first + 1;
    if (silent <= 0) return rounded(total / Math.min(heard, buckets.length));
    if (silent >= buckets.length) return 0;
    let left = total;
    for (let second = last + 1; second <= now; second += 1) left -= buckets[at(second)] ?? 0;
    return rounded(left / Math.min(heard, buckets.length - silent));
  }

  function weighted(now: number): number {
    const silent = Math.max(0, now - last);
    if (silent >= buckets.length) return 0;
    const share = Math.max(1 - (1 - covered) ** (1 / buckets.length), leastWeight);
    let sum = 0;
    let weight = share * (1 - share) ** silent;
    for (let back = 0; back < buckets.length - silent; back += 1) {
      sum += (buckets[at(last - back)] ?? 0) * weight;
      weight *= 1 - share;
    }
    return sum;
  }

  return {
    record(atSeconds, value) {
      const second = Math.floor(atSeconds);
      // Older than the window: whoever reports so late speaks of what no decision looks at any more.
      if (second <= last - buckets.length) return;
      if (second - last >= buckets.length) {
        buckets.fill(0);
        total = 0;
        first = second;
        last = second;
      } else if (second > last) {
        clear(last + 1, second);
        last = second;
      } else if (second < first) first = second;
      buckets[at(second)] = (buckets[at(second)] ?? 0) + value;
      total += value;
    },
    average(nowSeconds) {
      if (last === Number.NEGATIVE_INFINITY) return 0;
      const now = Math.floor(nowSeconds);
      return aggregation === "linear" ? linear(now) : weighted(now);
    },
    isEmpty: (nowSeconds) => Math.floor(nowSeconds) - last > buckets.length,
    resize(seconds) {
      const count = bucketsOf(seconds);
      if (count === buckets.length) return;
      const next = new Array<number>(count).fill(0);
      total = 0;
      if (last !== Number.NEGATIVE_INFINITY) {
        const kept = Math.min(count, buckets.length);
        for (let second = last; second > last - kept; second -= 1) {
          const value = buckets[at(second)] ?? 0;
          next[mod(second, count)] = value;
          total += value;
        }
        first = Math.max(first, last - kept + 1);
      }
      buckets = next;
    },
  };
}

function bucketsOf(seconds: number): number {
  return Math.max(1, Math.ceil(seconds));
}

function mod(value: number, size: number): number {
  return ((value % size) + size) % size;
}

function rounded(value: number): number {
  return Math.round(value * precision) / precision;
}
