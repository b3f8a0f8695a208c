/**
 * A whole small world in memory: the real registry over a store that forgets, time that a test moves,
 * seeded dice. What the registry hands out is frozen: whoever modifies it fails at once.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { memoryStore } from "../../src/adapters/store/index.js";
import { localClient } from "../../src/apiserver/localClient.js";
import { createRegistry, type Registry, type RegistryOptions } from "../../src/apiserver/registry/index.js";
import {
  type Deps,
  type Informers,
  keyFromText,
  makeInformers,
  readYourWrites,
} from "../../src/controller/index.js";
import { Namespace } from "../../src/domain/apis/core/namespace.types.js";
import { CustomResourceDefinition } from "../../src/domain/apis/crd/index.js";
import { apiVersionOf, type Kind, type Resource } from "../../src/domain/apis/kind.js";
import { builtinKinds, servingKinds } from "../../src/domain/apis/kinds.js";
import type { Client, Log } from "../../src/ports/index.js";
import { type FakeClock, fakeClock } from "./clock.js";
import { dice } from "./dice.js";
import { asWrite, existing } from "./existing.js";
import { type Fault, withFaults } from "./faults.js";

export interface WorldOptions {
  /** What is there already; made with `existing`. Their namespaces come by themselves. */
  readonly given?: readonly Resource[];
  readonly faults?: readonly Fault[];
  readonly seed?: number;
  readonly kinds?: readonly Kind[];
  readonly views?: RegistryOptions["views"];
}

export interface World {
  readonly clock: FakeClock;
  readonly registry: Registry;
  readonly informers: Informers;
  /** What a reconciler is given: faults apply, writes are counted, and each waits for its own echo. */
  readonly deps: Deps & { readonly log: Log };
  /** The test's own hand: no faults, not counted. */
  readonly client: Client;
  readonly kinds: readonly Kind[];
  /** Every event told, as `Kind/name Type Reason: message`. */
  readonly events: readonly string[];
  /** Every error the controllers logged. */
  readonly errors: readonly string[];
  /** Writes of the reconcilers that the API granted so far, those without effect included. */
  writes(): number;
  /** An object as the API has it now; the key is `namespace/name`, or `/name`. */
  get<T extends Resource>(kind: Kind<T>, key: string): T | undefined;
  list<T extends Resource>(kind: Kind<T>, namespace?: string): readonly T[];
  /** Lets everything that can happen without time passing happen. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** A fight between reconcilers writes without end; a world at work writes far less than this. */
const mostWrites = 20_000;

export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  const kinds = [
    ...builtinKinds,
    ...servingKinds,
    CustomResourceDefinition as unknown as Kind,
    ...(options.kinds ?? []),
  ];
  const clock = fakeClock();
  const random = dice(options.seed);
  const store = memoryStore();
  await store.commit(withNamespaces(options.given ?? []).map((object, i) => write(kinds, object, i + 1)));
  const registry = await createRegistry({
    store,
    clock,
    random,
    kinds,
    freeze: true,
    ...(options.views === undefined ? {} : { views: options.views }),
  });

  const admin = { name: "system:admin", groups: ["system:masters"] };
  const client = localClient(registry, admin);
  // As where Drydock runs: controllers go ahead of the disk.
  const early = localClient(registry, admin, { early: true, goesOn: true });
  let asked = 0;
  let writes = 0;
  const faulty = withFaults(early, options.faults ?? [], {
    asks: () => {
      asked += 1;
      if (asked > mostWrites)
        throw new Error(`more than ${mostWrites} writes: somebody is fighting somebody`);
    },
    wrote: () => {
      writes += 1;
    },
  });
  const events: string[] = [];
  const errors: string[] = [];
  const log: Log = {
    info: () => {},
    error: (message, fields) => errors.push(`${message} ${JSON.stringify(fields ?? {})}`),
  };
  const informers = makeInformers({ client: early, clock, log });

  return {
    clock,
    registry,
    informers,
    client,
    kinds,
    events,
    errors,
    deps: {
      client: readYourWrites(faulty, informers, clock),
      listers: informers.listers,
      clock,
      random,
      log,
      recorder: {
        event: ({ kind, metadata }, type, reason, message) =>
          events.push(`${kind}/${metadata.name} ${type} ${reason}: ${message}`),
      },
    },
    writes: () => writes,
    get: <T extends Resource>(kind: Kind<T>, key: string) => {
      const { namespace, name } = keyFromText(key);
      return registry.get(registry.servedAs(kind), namespace, name)?.object as T | undefined;
    },
    list: <T extends Resource>(kind: Kind<T>, namespace?: string) =>
      registry
        .servedAs(kind)
        .collection.list(namespace === undefined ? {} : { namespace })
        .map((stored) => stored.object as T),
    async drain() {
      // Nothing in a world leaves the microtask queue but timers and commits, so a few turns see the end of everything.
      let seen = "";
      for (let turns = 0; turns < 3; turns += 1) {
        const { commits, queued } = registry.figures().commit;
        const now = `${registry.staged()} ${commits} ${queued}`;
        if (clock.runDue() || now !== seen) turns = 0;
        seen = now;
        await nextTurn();
      }
    },
    async close() {
      informers.close();
      await registry.close();
    },
  };
}

function withNamespaces(given: readonly Resource[]): readonly Resource[] {
  const there = new Set(given.filter((one) => one.kind === "Namespace").map((one) => one.metadata.name));
  const wanted = new Set(given.map((one) => one.metadata.namespace).filter((name) => name !== undefined));
  const missing = [...wanted].filter((name) => !there.has(name));
  return [
    ...missing.map((name) =>
      existing(Namespace, {
        metadata: { name },
        spec: { finalizers: ["kubernetes"] },
        status: { phase: "Active" },
      }),
    ),
    ...given,
  ];
}

function write(kinds: readonly Kind[], object: Resource, revision: number) {
  const kind = kinds.find((one) => one.kind === object.kind && apiVersionOf(one) === object.apiVersion);
  if (kind === undefined) throw new Error(`no kind ${object.kind} in ${object.apiVersion}`);
  return asWrite(kind, object, revision);
}
