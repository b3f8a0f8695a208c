/**
 * One row, one sentence about a reconciler. Besides what a row asks, each is held to two rules:
 * nothing read may be modified (the world is frozen), and a second look writes nothing.
 */
import { expect, it } from "vitest";
import {
  asKind,
  type Deps,
  keyFromText,
  type Reconciler,
  reconcileOnce,
} from "../../src/controller/index.js";
import type { Resource } from "../../src/domain/apis/kind.js";
import { isPortError } from "../../src/ports/index.js";
import { makeWorld, type World, type WorldOptions } from "./world.js";

/** Conditions as `True`, `False Reason` or `False Reason: message`; other members of status as they are. */
export interface WantedStatus {
  readonly [field: string]: unknown;
}

/** A part of an object: apiVersion may be left out, the namespace is the key's unless given. */
export interface WantedObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface Row extends WorldOptions {
  readonly name: string;
  readonly key: string;
  /** Time that passes after the first look; then it looks again. */
  readonly after?: number;
  /** Looks it may take until it is at rest, where each write wakes it anew. One unless said. */
  readonly looks?: number;
  readonly wantStatus?: WantedStatus;
  readonly wantObjects?: readonly WantedObject[];
  /** As `Kind/name`, in the key's namespace. */
  readonly wantGone?: readonly string[];
  /** Parts of events that were told, as `Kind/name Type Reason: message`. */
  readonly wantEvents?: readonly string[];
  /** The reason of the PortError, or a part of any error's text, that the first look ends in. */
  readonly wantError?: string;
  /** When the reconciler asks to be woken. */
  readonly wantRequeueMs?: number;
  /** Whatever else there is to say. */
  readonly also?: (world: World) => void | Promise<void>;
}

export function reconcilerTable<T extends Resource>(
  make: (deps: Deps) => Reconciler<T>,
  rows: readonly Row[],
): void {
  for (const row of rows) it(row.name, () => check(make, row));
}

async function check<T extends Resource>(make: (deps: Deps) => Reconciler<T>, row: Row): Promise<void> {
  const world = await makeWorld(row);
  try {
    const reconciler = make(world.deps) as unknown as Reconciler;
    const { kind, owns = [], watches = [] } = reconciler;
    for (const one of [kind, ...owns, ...watches.map((each) => each.kind)]) world.informers.of(one);
    await world.drain();

    const look = (): Promise<Looked> => lookOnce(world, reconciler, row.key);
    const first = await look();
    expect(sayError(first.error)).toBe(row.wantError === undefined ? undefined : heard(row, first.error));
    let last = first;
    if (row.after !== undefined) {
      world.clock.moveTo(world.clock.now() + row.after);
      await world.drain();
      last = await look();
    }
    for (let looks = 1; looks < (row.looks ?? 1); looks += 1) last = await look();
    if (row.wantError === undefined) await expectRest(world, look);

    await checkWants(world, row, kind, last);
  } finally {
    await world.close();
  }
}

interface Looked {
  readonly error: unknown;
  readonly requeueAfterMs: number | undefined;
}

async function lookOnce(world: World, reconciler: Reconciler, key: string): Promise<Looked> {
  const done = reconcileOnce(reconciler, keyFromText(key), world.deps).then(
    (requeueAfterMs): Looked => ({ error: undefined, requeueAfterMs }),
    (error: unknown): Looked => ({ error, requeueAfterMs: undefined }),
  );
  const stuck = Symbol();
  // A look that waits for time would wait for ever: nobody moves the clock meanwhile.
  const looked = await Promise.race([done, world.drain().then(() => stuck)]);
  if (typeof looked === "symbol") throw new Error("the look waits for time that nobody advances");
  await world.drain();
  return looked;
}

async function expectRest(world: World, look: () => Promise<Looked>): Promise<void> {
  const revision = world.registry.revision();
  const before = world.writes();
  const again = await look();
  expect(again.error, "the second look fails").toBeUndefined();
  expect(world.registry.revision(), "a second look changes something").toBe(revision);
  expect(world.writes(), "a second look writes").toBe(before);
}

async function checkWants(world: World, row: Row, kind: Reconciler["kind"], last: Looked): Promise<void> {
  const { namespace } = keyFromText(row.key);
  if (row.wantStatus !== undefined) {
    const object = world.get(kind, row.key);
    expect(object, `${kind.kind} ${row.key}`).toBeDefined();
    expect(pick(statusOf(object), row.wantStatus)).toEqual(row.wantStatus);
  }
  for (const wanted of row.wantObjects ?? []) {
    const found = find(world, wanted.kind, wanted.metadata.namespace ?? namespace, wanted.metadata.name);
    expect(found, `${wanted.kind} ${wanted.metadata.name}`).toMatchObject(wanted);
  }
  for (const gone of row.wantGone ?? []) {
    const [what = "", name = ""] = gone.split("/");
    expect(find(world, what, namespace, name), gone).toBeUndefined();
  }
  for (const event of row.wantEvents ?? []) {
    expect(world.events).toContainEqual(expect.stringContaining(event));
  }
  if (row.wantRequeueMs !== undefined) expect(last.requeueAfterMs).toBe(row.wantRequeueMs);
  await row.also?.(world);
}

function find(world: World, kindName: string, namespace: string, name: string): Resource | undefined {
  const kind = world.kinds.find((one) => one.kind === kindName);
  if (kind === undefined) throw new Error(`no kind ${kindName}`);
  return world.get(asKind(kind), `${kind.namespaced ? namespace : ""}/${name}`);
}

function statusOf(object: Resource | undefined): { readonly [field: string]: unknown } {
  return (object as { readonly status?: { readonly [field: string]: unknown } } | undefined)?.status ?? {};
}

/** The members of status that a row asks about, conditions in the words the row uses. */
function pick(status: { readonly [field: string]: unknown }, wanted: WantedStatus): WantedStatus {
  const conditions = (status["conditions"] ?? []) as readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
  return Object.fromEntries(
    Object.entries(wanted).map(([field, want]) => {
      if (!/^[A-Z]/.test(field)) return [field, status[field]];
      const condition = conditions.find((one) => one.type === field);
      if (condition === undefined) return [field, undefined];
      const { status: verdict, reason, message } = condition;
      const short = [verdict, reason].filter(Boolean).join(" ");
      return [field, String(want).includes(": ") ? `${short}: ${message ?? ""}` : short];
    }),
  );
}

function sayError(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (isPortError(error)) return `${error.reason}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The error's own text when it is the wanted one, else the want: what a failed comparison then shows. */
function heard(row: Row, error: unknown): string | undefined {
  const text = sayError(error);
  return text?.includes(row.wantError ?? "") ? text : row.wantError;
}
