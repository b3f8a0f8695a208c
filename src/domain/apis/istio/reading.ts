// Reading a field of an Istio object: what every reader of one needs, and how each says what is wrong.
import { milliseconds, parseDuration } from "../config/goText.js";
import type { RouteFault } from "./routing.types.js";

/** Thrown and caught by the readers of this folder only: the leaf names the fault, with its path. */
export class FieldFault extends Error implements RouteFault {
  constructor(
    readonly reason: RouteFault["reason"],
    readonly path: string,
    readonly what: string,
  ) {
    super(`${path}: ${what}`);
  }
}

export const invalid = (path: string, what: string) => new FieldFault("InvalidField", path, what);

export const unsupported = (path: string, what: string) => new FieldFault("UnsupportedField", path, what);

/** What nobody here obeys would change who is served, or how: such an object is refused, not half obeyed. */
export function only(object: object, path: string, known: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined || value === null || known.has(name)) continue;
    throw unsupported(
      `${path}.${name}`,
      "this gateway does not know the field, and ignoring it would change who is served",
    );
  }
}

/** Runs every reader and keeps what was read; faults are gathered, so that an author sees all of them at once. */
export function gather<T, R>(
  items: readonly T[],
  faults: RouteFault[],
  read: (item: T, index: number) => R,
): readonly R[] {
  return items.flatMap((item, index) => {
    try {
      return [read(item, index)];
    } catch (fault) {
      if (!(fault instanceof FieldFault)) throw fault;
      faults.push(fault);
      return [];
    }
  });
}

/** Longer than any answer takes; a timer cannot hold more anyway. */
const longestMs = 24 * 3_600_000;

/** A Go duration in whole milliseconds, up; 0 is 0. */
export function durationMs(text: string, path: string): number {
  const parsed = parseDuration(text);
  if ("because" in parsed) throw invalid(path, `${JSON.stringify(text)} is not a duration such as 1.5s`);
  const ms = milliseconds(parsed.value);
  if (ms < 0) throw invalid(path, `${text} is before now`);
  if (ms > longestMs) throw invalid(path, `${text} is longer than 24h`);
  return Math.ceil(ms);
}

const hostName = /^(?:\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/;

export function hostOf(host: string, path: string): string {
  const lower = String(host).toLowerCase();
  if (!hostName.test(lower)) throw invalid(path, `${JSON.stringify(host)} is not a host name`);
  return lower;
}

export function portOf(port: number | undefined, path: string): number | undefined {
  if (port !== undefined && (port < 1 || port > 65_535)) throw invalid(path, `${port} is not a port`);
  return port;
}

/** What `name`, `./name`, `ns/name` and the old `name.ns` mean to an object of that namespace. */
export function gatewayKey(ref: string, namespace: string): string {
  if (ref === "mesh") return ref;
  const slash = ref.lastIndexOf("/");
  if (slash >= 0) {
    const within = ref.slice(0, slash);
    return `${within === "." || within === "" ? namespace : within}/${ref.slice(slash + 1)}`;
  }
  const [name = "", within] = ref.split(".");
  return `${within ?? namespace}/${name}`;
}
