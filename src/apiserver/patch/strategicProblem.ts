import { goText } from "./json.js";

/** Leaves a strategic merge in one jump; never leaves the patch folder. */
export class PatchProblem extends Error {}

export function badDirective(directive: unknown, map: unknown): PatchProblem {
  return new PatchProblem(`unknown patch type: ${goText(directive)} in map: ${goText(map)}`);
}
