// Request ids: a UUID in form, random once per gateway and counted from there, so that one costs next to nothing.
import type { Random } from "../../ports/index.js";

export function requestIds(random: Random): () => string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  const prefix = `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-`;
  let count = 0;
  return () => {
    count += 1;
    return prefix + count.toString(16).padStart(12, "0");
  };
}
