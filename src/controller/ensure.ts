// Observe a child and write it if it is not as wished.
import type { Kind, Resource } from "../domain/apis/kind.js";
import { type Client, isPortError, type Listers, type Unsaved } from "../ports/index.js";
import { controllerUid } from "./informer.js";
import { same } from "./status.js";

export type Ensured<T> =
  | { readonly outcome: "created" | "updated" | "unchanged"; readonly object: T }
  | { readonly outcome: "notOwned"; readonly object: T };

export type EnsureOwned = <T extends Resource>(
  kind: Kind<T>,
  owner: Resource,
  wish: Unsaved<T>,
  options?: EnsureOptions<T>,
) => Promise<Ensured<T>>;

export interface EnsureOptions<T extends Resource> {
  /** What of the live object stays as it is, such as replicas that an autoscaler owns. */
  readonly keep?: (live: T, wish: Unsaved<T>) => Unsaved<T>;
  /** Members taken from the wish whole, so that what the wish no longer says goes away. The wish must be defaulted. */
  readonly exact?: readonly string[];
  /** Labels and annotations are the wish's alone: what others put there goes away. */
  readonly ownMetadata?: boolean;
  /** Made once and then left alone. */
  readonly createOnly?: boolean;
}

/**
 * Creates the child, or updates it where it differs from the wish, as the owner's own. A wish names only
 * what it cares for: members of the live object that the wish leaves out stay (defaults, status, others' labels).
 * A child of somebody else is left untouched and said to be so.
 */
export function ensureOwned(client: Client, listers: Listers): EnsureOwned {
  return async (kind, owner, wish, options = {}) => {
    const key = { namespace: wish.metadata.namespace ?? "", name: wish.metadata.name };
    const live = listers(kind).get(key) ?? undefined;
    if (live === undefined) {
      try {
        return { outcome: "created", object: await client.create(kind, ownedBy(owner, wish)) };
      } catch (error) {
        if (!isPortError(error, "AlreadyExists")) throw error;
        const raced = await client.get(kind, key);
        if (raced === undefined) throw error;
        if (controllerUid(raced) !== owner.metadata.uid) return { outcome: "notOwned", object: raced };
        return { outcome: "unchanged", object: raced };
      }
    }
    if (controllerUid(live) !== owner.metadata.uid) return { outcome: "notOwned", object: live };
    if (options.createOnly === true || live.metadata.deletionTimestamp !== undefined) {
      return { outcome: "unchanged", object: live };
    }
    const kept = options.keep?.(live, wish) ?? wish;
    const exact = Object.fromEntries(
      (options.exact ?? []).map((name) => [name, (kept as { readonly [name: string]: unknown })[name]]),
    );
    const next = {
      ...overlaid(live, kept),
      ...exact,
      ...(options.ownMetadata ? { metadata: told(live, kept) } : {}),
    };
    if (same(next, live)) return { outcome: "unchanged", object: live };
    return { outcome: "updated", object: await client.update(kind, next) };
  };
}

function told<T extends Resource>({ metadata }: T, wish: Unsaved<T>): Resource["metadata"] {
  return { ...metadata, labels: wish.metadata.labels ?? {}, annotations: wish.metadata.annotations ?? {} };
}

export function ownedBy<W extends { readonly metadata: Resource["metadata"] }>(owner: Resource, wish: W): W {
  return {
    ...wish,
    metadata: {
      ...wish.metadata,
      ownerReferences: [
        {
          apiVersion: owner.apiVersion,
          kind: owner.kind,
          name: owner.metadata.name,
          uid: owner.metadata.uid ?? "",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
  };
}

/** The live object with the wish laid over it: objects merge, lists and plain values are taken from the wish. */
function overlaid<T>(live: T, wish: unknown): T {
  return overlay(live, wish) as T;
}

function overlay(live: unknown, wish: unknown): unknown {
  if (wish === undefined) return live;
  if (!isPlain(live) || !isPlain(wish)) {
    if (Array.isArray(live) && Array.isArray(wish)) return overlayList(live, wish);
    return wish;
  }
  const result: { [key: string]: unknown } = { ...live };
  for (const [key, value] of Object.entries(wish)) {
    if (value !== undefined) result[key] = overlay(live[key], value);
  }
  return result;
}

// Items keep what defaulting added to them, as long as the list itself has the same length.
function overlayList(live: readonly unknown[], wish: readonly unknown[]): readonly unknown[] {
  return wish.map((one, index) => (live.length === wish.length ? overlay(live[index], one) : one));
}

function isPlain(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
