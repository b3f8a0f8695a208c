// What no body may hold, however it was written: nesting without end, and numbers that JSON cannot say.
import { limits } from "./limits.js";

/** In words, what is wrong with a value just read; undefined when nothing is. */
export function troubleIn(value: unknown, depth = 0): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return `the number ${value} is out of range`;
  if (typeof value !== "object" || value === null) return undefined;
  if (depth >= limits.bodyDepth) return "exceeded max depth";
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    const trouble = troubleIn(member, depth + 1);
    if (trouble !== undefined) return trouble;
  }
  return undefined;
}
