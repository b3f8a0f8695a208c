// Ids of requests and traces: random once per gateway and counted from there, so that one costs next to nothing.
import type { Random } from "../../ports/index.js";

export interface Ids {
  /** In the form of a UUID. */
  request(): string;
  /** A W3C `traceparent`; not sampled, for nobody here has recorded anything. */
  trace(): string;
}

export function makeIds(random: Random): Ids {
  const prefix = `${hex(word(random))}-${hex(word(random)).slice(4)}-4${hex(word(random)).slice(5)}-a${hex(word(random)).slice(5)}-`;
  const traces = `00-${hex(word(random) | 1)}${hex(word(random))}`;
  let count = 0;
  let high = word(random) | 1;
  let low = word(random);
  return {
    request() {
      count += 1;
      return prefix + count.toString(16).padStart(12, "0");
    },
    trace() {
      // Samplers look at the last bits of a trace's id, so those must look random: Marsaglia's xorshift, 64 bits wide.
      const carried = high;
      high = low;
      let mixed = carried ^ (carried << 23);
      mixed ^= mixed >>> 17;
      mixed ^= low ^ (low >>> 26);
      low = mixed;
      const id = hex(high >>> 0) + hex((low | 1) >>> 0);
      return `${traces}${id}-${id}-00`;
    },
  };
}

function word(random: Random): number {
  return Math.floor(random() * 2 ** 32) >>> 0;
}

/** Eight digits. */
function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
