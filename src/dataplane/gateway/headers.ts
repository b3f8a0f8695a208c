// Header operations of the layers a request passes, added up to what they come to at the end.

import type { HeaderOperations } from "../../domain/apis/istio/routing.types.js";
import { flat, lettersOf, toLines } from "../proxy/index.js";
import type { HeaderChange, ResponseChange } from "./table.js";

export interface Accumulated {
  /** By lower-case name: the value in force, its name as the author spelled it. */
  readonly set: ReadonlyMap<string, readonly [name: string, value: string]>;
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: ReadonlySet<string>;
}

export const noChange: Accumulated = { set: new Map(), add: [], remove: new Set() };

/** A later layer acts on what the earlier ones made, as if each were a hop of its own. */
export function accumulate(before: Accumulated, layer: HeaderOperations): Accumulated {
  if (layer.set.length + layer.add.length + layer.remove.length === 0) return before;
  const set = new Map(before.set);
  let add = before.add;
  const remove = new Set(before.remove);
  for (const name of layer.remove) {
    set.delete(name);
    add = add.filter(([added]) => added.toLowerCase() !== name);
    remove.add(name);
  }
  for (const [name, value] of layer.set) {
    const lower = name.toLowerCase();
    add = add.filter(([added]) => added.toLowerCase() !== lower);
    set.set(lower, [name, value]);
  }
  return { set, add: [...add, ...layer.add], remove };
}

/** Host is left out: it is the request's address and not one header among others. */
export function settle(change: Accumulated, hidden: ReadonlySet<string>): HeaderChange {
  const drop = new Set([...change.remove, ...hidden]);
  const lines: string[] = [];
  for (const [lower, [name, value]] of change.set) {
    drop.add(lower);
    if (lower !== "host" && !hidden.has(lower)) lines.push(name, value);
  }
  for (const [name, value] of change.add) if (!hidden.has(name.toLowerCase())) lines.push(name, value);
  drop.delete("host");
  return {
    drop,
    lines,
    letters: lettersOf(drop),
    text: flat(toLines(lines)),
    setsOurs: ours.some((name) => drop.has(name)),
  };
}

/** What the gateway adds itself, unless a route says otherwise. */
const ours = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "forwarded",
  "x-request-id",
  "traceparent",
];

/** On its way back an answer passes the last hop first. */
export function settleResponse(layers: readonly HeaderOperations[]): ResponseChange {
  const { drop, text } = settle(layers.reduceRight(accumulate, noChange), new Set());
  return { drop, text };
}
