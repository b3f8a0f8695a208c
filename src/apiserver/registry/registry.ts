// The registry: every object in memory, every write on disk before anyone outside sees it, every change told to who watches.

import type { Namespace } from "../../domain/apis/core/namespace.types.js";
import { CustomResourceDefinition } from "../../domain/apis/crd/index.js";
import { apiVersionOf, type Kind, type Resource } from "../../domain/apis/kind.js";
import type { DeleteOptions } from "../../domain/apis/meta/meta.types.js";
import { schemaCompiler } from "../../domain/apis/schema/index.js";
import { type Clock, type Log, PortError, type Random, type Store } from "../../ports/index.js";
import { limits } from "../limits.js";
import { noSuchResource, notFound } from "../status.js";
import { builtinViews } from "../views/index.js";
import { type Collection, makeCollection } from "./collection.js";
import { type CommitFigures, makeCommitter } from "./committer.js";
import { insideContext, type WriteContext } from "./context.js";
import { type CreateOptions, createObject } from "./create.js";
import type { Happening } from "./history.js";
import { type Deleted, deleteObject } from "./remove.js";
import { crdRule, followCrd } from "./rules/crds.js";
import { claimRule } from "./rules/limitRanges.js";
import { firstNamespaces, namespaceRule } from "./rules/namespaces.js";
import { podRule } from "./rules/pods.js";
import { charging } from "./rules/quotas.js";
import type { Rule } from "./rules/rule.js";
import { serviceRule } from "./rules/services.js";
import { makeServedTable, type Served, type ServedTable, storageId, type View } from "./served.js";
import { makeState, type State } from "./state.js";
import { keyOf, parseStored, type Stored, same } from "./stored.js";
import { type Subresource, updateObject, type Wish } from "./update.js";

export interface RegistryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** What is served from the start; users' own kinds join through CRDs. */
  readonly kinds: readonly Kind[];
  /** Other groups or versions of the same objects. */
  readonly views?: readonly View[];
  /** In tests: whoever modifies what the registry hands out fails at once. */
  readonly freeze?: boolean;
  readonly log?: Log;
}

export interface Registry {
  readonly served: ServedTable;
  readonly clock: Clock;
  readonly random: Random;
  /** What has been served to readers last; every list is as of this. */
  revision(): number;
  /** The revision of what was written last, which may still be on its way to disk. */
  staged(): number;
  servedAs(kind: Pick<Kind, "group" | "version" | "plural">): Served;
  get(served: Served, namespace: string, name: string): Stored | undefined;
  create(
    served: Served,
    namespace: string,
    object: Resource,
    write: WriteContext,
    options?: CreateOptions,
  ): Promise<Stored>;
  update(
    served: Served,
    namespace: string,
    name: string,
    subresource: Subresource,
    wish: (current: Resource) => Wish,
    write: WriteContext,
  ): Promise<Stored>;
  remove(
    served: Served,
    namespace: string,
    name: string,
    options: DeleteOptions,
    write: WriteContext,
  ): Promise<Deleted>;
  /** Takes what a namespace is held by, once nothing is left inside (its finalize subresource). */
  finalizeNamespace(name: string, finalizers: readonly string[]): Promise<Stored>;
  /** Calls back after each change that readers can see, whatever its kind. */
  onChange(heard: (collectionId: string, happening: Happening) => void): () => void;
  figures(): RegistryFigures;
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface RegistryFigures {
  readonly revision: number;
  readonly commit: CommitFigures;
  readonly collections: readonly {
    readonly id: string;
    readonly objects: number;
    readonly watchers: number;
  }[];
}

export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const { store, clock, random, log } = options;
  const freeze = options.freeze === true;
  const content = await store.load();
  const compiler = schemaCompiler();
  const committer = makeCommitter(store, () => clock.now());
  const collections = new Map<string, Collection>();
  const listeners = new Set<(id: string, happening: Happening) => void>();
  let revision = content.revision;
  let compacted = content.revision;

  const collection = (id: string): Collection => {
    const known = collections.get(id);
    if (known !== undefined) return known;
    const made = makeCollection(id, content.revision);
    collections.set(id, made);
    return made;
  };
  const table = makeServedTable(collection, freeze);
  const rules = charging(
    new Map<string, Rule>([
      ["/namespaces", namespaceRule],
      ["/services", serviceRule()],
      ["/pods", podRule],
      ["/persistentvolumeclaims", claimRule],
      [crdId, crdRule(table)],
    ]),
  );

  for (const entry of content.entries) {
    const [group = "", plural = ""] = entry.key.split("/", 2);
    collection(`${group}/${plural}`).load(parse(entry.key, entry.value, entry.revision, freeze));
  }
  const crds = CustomResourceDefinition as unknown as Kind;
  // Someone may apply upstream's definitions of kinds we serve ourselves: they are kept, and change nothing.
  const ours = new Set(options.kinds.map(storageId));
  const follow = (object: Resource, gone: boolean) => {
    const { group, names } = (object as Resource & CustomResourceDefinition).spec;
    if (ours.has(storageId({ group, plural: names.plural }))) return;
    try {
      followCrd(table, object, gone, compiler);
    } catch (error) {
      // One definition that we cannot read must stop neither the writes of others nor the start.
      log?.error("a definition could not be followed", { name: object.metadata.name, error: String(error) });
    }
  };
  for (const kind of new Set([...options.kinds, crds])) table.serve(kind);
  for (const view of [...builtinViews, ...(options.views ?? [])]) {
    if (table.find(view.of.group, view.of.version, view.of.plural) !== undefined)
      table.serve(view.kind, { view });
  }

  const state: State = makeState({
    clock,
    random,
    freeze,
    compiler,
    rules,
    collection,
    served: (kind) => table.find(kind.group, kind.version, kind.plural),
    committer,
    startRevision: content.revision,
    published(happening, { id }) {
      revision = happening.revision;
      if (id === crdId) follow(happening.stored.object, happening.type === "DELETED");
      for (const heard of listeners) heard(id, happening);
      if (revision - compacted >= limits.compactEvery) {
        compacted = revision;
        store.compact(revision - limits.compactKeep).catch((error: unknown) => {
          log?.error("compacting the store failed", { error: String(error) });
        });
      }
    },
  });
  for (const stored of collection(crdId).list({})) follow(stored.object, false);

  const registry: Registry = {
    served: table,
    clock,
    random,
    revision: () => revision,
    staged: state.staged,
    servedAs(kind) {
      const found = table.find(kind.group, kind.version, kind.plural);
      if (found === undefined) throw noSuchResource();
      return found;
    },
    get(served, namespace, name) {
      const stored = served.collection.get(keyOf(namespace, name));
      return stored === undefined ? undefined : served.show(stored);
    },
    create: (served, namespace, object, write, more) =>
      createObject(state, served, namespace, object, write, more),
    update: (served, namespace, name, subresource, wish, write) =>
      updateObject(state, served, namespace, name, subresource, wish, write),
    remove: (served, namespace, name, how, write) => deleteObject(state, served, namespace, name, how, write),
    async finalizeNamespace(name, finalizers) {
      const spaces = collection("/namespaces");
      const base = spaces.latest(keyOf("", name));
      if (base === undefined) throw notFound({ group: "", plural: "namespaces" }, name);
      const next = { ...base.object, spec: { finalizers } } as Resource;
      const leaves =
        next.metadata.deletionTimestamp !== undefined &&
        finalizers.length === 0 &&
        (next.metadata.finalizers ?? []).length === 0;
      if (!leaves && same((base.object as Namespace).spec?.finalizers ?? [], finalizers)) return base;
      const { stored, done } = state.stage(spaces, leaves ? "DELETED" : "MODIFIED", next);
      await done;
      return stored;
    },
    onChange(heard) {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    figures: () => ({
      revision,
      commit: committer.figures(),
      collections: [...collections.values()].map((one) => ({
        id: one.id,
        objects: one.size(),
        watchers: one.watching(),
      })),
    }),
    settled: () => committer.settled(),
    async close() {
      await committer.settled();
      await store.close();
    },
  };
  await makeFirstNamespaces(registry);
  return registry;
}

const crdId = storageId(CustomResourceDefinition);

async function makeFirstNamespaces(registry: Registry): Promise<void> {
  const served = registry.served.find("", "v1", "namespaces");
  if (served === undefined) return;
  const context = insideContext({ name: "system:apiserver", groups: ["system:masters"] });
  await Promise.all(
    firstNamespaces
      .filter((name) => registry.get(served, "", name) === undefined)
      .map((name) =>
        registry.create(
          served,
          "",
          { apiVersion: apiVersionOf(served.kind), kind: served.kind.kind, metadata: { name } },
          context,
        ),
      ),
  );
}

function parse(key: string, json: string, revision: number, freeze: boolean): Stored {
  try {
    return parseStored(json, revision, freeze);
  } catch (error) {
    throw new PortError("InternalError", `the store holds something unreadable under ${key}`, {
      cause: error,
    });
  }
}
