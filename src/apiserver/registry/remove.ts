// Deletion: at once when nothing holds the object, else a mark and a wait (kubernetes-api.md, section 8).
import type { Resource } from "../../domain/apis/kind.js";
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import type { DeleteOptions } from "../../domain/apis/meta/meta.types.js";
import { isoSeconds } from "../../domain/apis/meta/time.js";
import { conflict, invalidOptions, notFound } from "../status.js";
import type { WriteContext } from "./context.js";
import { preview } from "./create.js";
import { withMetadata } from "./metadata.js";
import { type Served, storageId } from "./served.js";
import type { State } from "./state.js";
import { keyOf, type Stored } from "./stored.js";
import { isReleased } from "./update.js";

export interface Deleted {
  readonly stored: Stored;
  /** Whether the object is gone, or merely marked. */
  readonly gone: boolean;
}

export async function deleteObject(
  state: State,
  served: Served,
  namespace: string,
  name: string,
  options: DeleteOptions,
  write: WriteContext,
): Promise<Deleted> {
  const { kind, collection } = served;
  refuseBadPolicy(options);
  const key = keyOf(namespace, name);
  const base = collection.latest(key);
  if (base === undefined) throw notFound(kind, name);
  refuseByPrecondition(served, name, base.object, options);
  const rule = state.rules.get(storageId(served.storage));
  rule?.mayDelete?.(base.object, state);

  const marked = mark(state, served, base.object, options);
  if (marked === undefined) {
    if (write.early !== true && collection.isPending(key)) await state.durable(collection, key);
    return { stored: served.show(base), gone: false };
  }
  const gone = isReleased(state, served, marked);
  const next = gone ? marked : (rule?.deleting?.(marked, state) ?? marked);
  if (write.dryRun) return { stored: preview(next, served), gone };
  const staged = state.stage(collection, gone ? "DELETED" : "MODIFIED", gone ? base.object : next);
  await state.settle(staged, write);
  return { stored: served.show(staged.stored), gone };
}

/** The object as its deletion leaves it; undefined when an earlier deletion left it so already. */
function mark(state: State, served: Served, object: Resource, options: DeleteOptions): Resource | undefined {
  const { metadata } = object;
  const graceSeconds = graceOf(served, object, options);
  if (metadata.deletionTimestamp !== undefined) {
    // A later deletion can only shorten the grace; to ask for the same again changes nothing.
    const pending = metadata.deletionGracePeriodSeconds ?? 0;
    if (graceSeconds >= pending && !(pending === 0 && isReleased(state, served, object))) return undefined;
    return withMetadata(object, {
      deletionGracePeriodSeconds: Math.min(graceSeconds, pending),
      deletionTimestamp: isoSeconds(state.clock.now() + Math.min(graceSeconds, pending) * 1000),
    });
  }
  return withMetadata(object, {
    deletionTimestamp: isoSeconds(state.clock.now() + graceSeconds * 1000),
    deletionGracePeriodSeconds: graceSeconds,
    finalizers: finalizersFor(options, metadata.finalizers ?? []),
    ...(served.storage.hasGeneration ? { generation: (metadata.generation ?? 0) + 1 } : {}),
  });
}

/** Only a pod that runs somewhere is given time; a node that is told 0 means: it has ended. */
function graceOf({ storage }: Served, object: Resource, options: DeleteOptions): number {
  if (storage.group !== "" || storage.kind !== "Pod") return 0;
  const { spec, status } = object as Resource & {
    readonly spec?: { readonly nodeName?: string; readonly terminationGracePeriodSeconds?: number };
    readonly status?: { readonly phase?: string };
  };
  if (spec?.nodeName === undefined || spec.nodeName === "") return 0;
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
  const asked = options.gracePeriodSeconds;
  return Math.max(0, asked ?? spec.terminationGracePeriodSeconds ?? 30);
}

function finalizersFor(options: DeleteOptions, present: readonly string[]): readonly string[] {
  const others = present.filter((one) => one !== "foregroundDeletion" && one !== "orphan");
  const policy = options.propagationPolicy ?? (options.orphanDependents === true ? "Orphan" : undefined);
  switch (policy) {
    case "Foreground":
      return [...others, "foregroundDeletion"];
    case "Orphan":
      return [...others, "orphan"];
    case "Background":
      return others;
    default:
      return present;
  }
}

function refuseBadPolicy({ propagationPolicy }: DeleteOptions): void {
  const known = ["Foreground", "Background", "Orphan"];
  if (propagationPolicy === undefined || propagationPolicy === "" || known.includes(propagationPolicy))
    return;
  throw invalidOptions("DeleteOptions", [
    fieldErrors.notSupported("propagationPolicy", propagationPolicy, [...known, "nil"]),
  ]);
}

function refuseByPrecondition(
  { storage }: Served,
  name: string,
  object: Resource,
  { preconditions }: DeleteOptions,
): void {
  const { uid, resourceVersion } = preconditions ?? {};
  // Upstream names the kind here, where it names the plural everywhere else.
  const named = { group: storage.group, plural: storage.kind };
  if (uid !== undefined && uid !== "" && uid !== object.metadata.uid) {
    throw conflict(
      named,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${object.metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (
    resourceVersion !== undefined &&
    resourceVersion !== "" &&
    resourceVersion !== object.metadata.resourceVersion
  ) {
    throw conflict(
      named,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${object.metadata.resourceVersion}). The object might have been modified`,
    );
  }
}
