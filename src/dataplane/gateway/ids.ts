// Ids of requests and traces: random once per gateway and counted from there, so that one costs next to nothing.
import type { Random } from "../../ports/index.js";
import { flat } from "../proxy/index.js";

export interface Ids {
  /** In the form of a UUID. */
  request(): string;
  /** A W3C `traceparent`; not sampled, for nobody here has recorded anything. */
  trace(): string;
}

/** Drawn at once, for one call to Node costs as much as sixty ids. */
const drawnAtOnce = 64;

export function makeIds(random: Random): Ids {
  const prefix = `${hex(word(random))}-${hex(word(random)).slice(4)}-4${hex(word(random)).slice(5)}-a${hex(word(random)).slice(5)}-`;
  const traces = `00-${hex(word(random) | 1)}${hex(word(random))}`;
  let count = 0;
  let stem = "";
  let high = word(random) | 1;
  let low = word(random);
  const drawn = Buffer.alloc(drawnAtOnce * 8);
  let digits = "";
  let at = 0;

  /** Samplers look at the last bits of a trace's id, so those must look random: Marsaglia's xorshift, 64 bits wide. */
  function draw(): void {
    for (let index = 0; index < drawn.length; index += 8) {
      const carried = high;
      high = low;
      let mixed = carried ^ (carried << 23);
      mixed ^= mixed >>> 17;
      mixed ^= low ^ (low >>> 26);
      low = mixed;
      drawn.writeUInt32BE(high >>> 0, index);
      drawn.writeUInt32BE((low | 1) >>> 0, index + 4);
    }
    digits = drawn.toString("hex");
    at = 0;
  }

  return {
    request() {
      count += 1;
      if (stem === "" || count % 256 === 0)
        stem = flat(
          prefix +
            Math.floor(count / 256)
              .toString(16)
              .padStart(10, "0"),
        );
      return stem + (pairs[count % 256] as string);
    },
    trace() {
      if (at === digits.length) draw();
      const id = digits.slice(at, at + 16);
      at += 16;
      return `${traces}${id}-${id}-00`;
    },
  };
}

/** Two digits each. */
const pairs: readonly string[] = Array.from({ length: 256 }, (_, value) =>
  value.toString(16).padStart(2, "0"),
);

function word(random: Random): number {
  return Math.floor(random() * 2 ** 32) >>> 0;
}

/** Eight digits. */
function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
