// The order Kubernetes lists versions in: v2, v1, v2beta1, v1beta1, v1alpha1, then anything else by name.

interface Parsed {
  readonly stability: number;
  readonly major: number;
  readonly minor: number;
}

const stabilities = ["alpha", "beta", ""];

function parsed(version: string): Parsed | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version);
  if (match === null) return undefined;
  const [, major, stability = "", minor = "0"] = match;
  return { stability: stabilities.indexOf(stability), major: Number(major), minor: Number(minor) };
}

/** For sorting: below zero when `a` comes first. */
export function newestFirst(a: string, b: string): number {
  const [left, right] = [parsed(a), parsed(b)];
  if (left === undefined || right === undefined) {
    if (left !== undefined) return -1;
    if (right !== undefined) return 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor;
}
