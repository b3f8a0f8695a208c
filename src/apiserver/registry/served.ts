// What the API serves: every group, version and plural, and where its objects are kept.
import { apiVersionOf, type Kind, type Resource } from "../../domain/apis/kind.js";
import { applyDefaults, prune, type SchemaCompiler } from "../../domain/apis/schema/index.js";
import type { Collection } from "./collection.js";
import type { Stored } from "./stored.js";

/** A kind shown from the objects of another: another version, or another group's older shape of the same thing. */
export interface View {
  readonly kind: Kind;
  /** The kind whose objects are stored. */
  readonly of: Kind;
  readonly toView: (stored: Resource) => Resource;
  /** `old` is the stored object the write starts from; what the view cannot show is kept from it. */
  readonly fromView: (seen: Resource, old: Resource | undefined) => Resource;
}

export interface Served {
  /** As this group, version and plural show it. */
  readonly kind: Kind;
  /** As its objects are stored; the same kind unless this is a view. */
  readonly storage: Kind;
  readonly collection: Collection;
  readonly view: View | undefined;
  /** The object as this version shows it. */
  readonly show: (stored: Stored) => Stored;
  readonly deprecation: string | undefined;
}

export interface ServedTable {
  serve(kind: Kind, more?: { readonly view?: View; readonly deprecation?: string | undefined }): Served;
  withdraw(group: string, plural: string): void;
  find(group: string, version: string, plural: string): Served | undefined;
  /** By apiVersion and kind, as bodies and owner references name it. */
  named(apiVersion: string, kind: string): Served | undefined;
  all(): readonly Served[];
  /** Changes whenever what is served does: discovery and OpenAPI are cached by it. */
  edition(): number;
}

export function storageId(kind: Pick<Kind, "group" | "plural">): string {
  return `${kind.group}/${kind.plural}`;
}

export function makeServedTable(collectionOf: (id: string) => Collection, freeze: boolean): ServedTable {
  const byPath = new Map<string, Served>();
  const byName = new Map<string, Served>();
  let edition = 0;

  const put = (served: Served) => {
    const { kind } = served;
    byPath.set(`${kind.group}/${kind.version}/${kind.plural}`, served);
    byName.set(`${apiVersionOf(kind)}/${kind.kind}`, served);
    edition++;
  };

  return {
    serve(kind, more = {}) {
      const storage = more.view?.of ?? kind;
      const served: Served = {
        kind,
        storage,
        collection: collectionOf(storageId(storage)),
        view: more.view,
        show: more.view === undefined ? (stored) => stored : shower(more.view, freeze),
        deprecation: more.deprecation,
      };
      put(served);
      for (const version of kind.alsoServedAs) {
        const view = renamed({ ...kind, version, alsoServedAs: [] }, kind);
        put({ ...served, kind: view.kind, view, show: shower(view, freeze) });
      }
      return served;
    },
    withdraw(group, plural) {
      for (const [path, { kind }] of byPath) {
        if (kind.group !== group || kind.plural !== plural) continue;
        byPath.delete(path);
        byName.delete(`${apiVersionOf(kind)}/${kind.kind}`);
        edition++;
      }
    },
    find: (group, version, plural) => byPath.get(`${group}/${version}/${plural}`),
    named: (apiVersion, kind) => byName.get(`${apiVersion}/${kind}`),
    all: () => [...byPath.values()],
    edition: () => edition,
  };
}

/** Another version with the same schema: only apiVersion differs. */
function renamed(kind: Kind, of: Kind): View {
  const seen = apiVersionOf(kind);
  const stored = apiVersionOf(of);
  return {
    kind,
    of,
    toView: (object) => ({ ...object, apiVersion: seen }),
    fromView: (object) => ({ ...object, apiVersion: stored }),
  };
}

/** Another version of a custom kind without conversion: what its own schema does not know is not shown. */
export function reshaped(kind: Kind, of: Kind, compiler: SchemaCompiler): View {
  const view = renamed(kind, of);
  return {
    ...view,
    toView: (object) =>
      applyDefaults(kind.schema, prune(kind.schema, view.toView(object)).value, compiler) as Resource,
  };
}

function shower(view: View, freeze: boolean): (stored: Stored) => Stored {
  const shown = new WeakMap<Stored, Stored>();
  return (stored) => {
    const known = shown.get(stored);
    if (known !== undefined) return known;
    const object = view.toView(stored.object);
    const made: Stored = {
      key: stored.key,
      revision: stored.revision,
      object: freeze ? Object.freeze(object) : object,
      json: JSON.stringify(object),
    };
    shown.set(stored, made);
    return made;
  };
}
