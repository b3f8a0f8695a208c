// Change: the same road for PUT, PATCH and apply, from the latest state to the disk.
import type { Resource } from "../../domain/apis/kind.js";
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import { trackUpdate } from "../patch/index.js";
import { badRequest, conflict, invalid, modifiedMeanwhile, notFound } from "../status.js";
import { admit, admitStatus } from "./admission.js";
import type { WriteContext } from "./context.js";
import { preview, webhooksOf } from "./create.js";
import { changed, sameManagers, statusChanged, unchanged, wishChanged, withMetadata } from "./metadata.js";
import { type Served, storageId } from "./served.js";
import type { State } from "./state.js";
import { keyOf, type Stored } from "./stored.js";

export type Subresource = "" | "status" | "scale";

export interface Wish {
  readonly object: Resource;
  /** The object already says who set what: it comes from an apply. */
  readonly tracked?: boolean;
  /** A whole object from outside must say which version it was made from, if its kind asks for that. */
  readonly unconditional?: boolean;
}

export async function updateObject(
  state: State,
  served: Served,
  namespace: string,
  name: string,
  subresource: Subresource,
  /** From the object as it is to the object as it should be. Runs once, on the latest state: there is no race to lose. */
  wish: (current: Resource) => Wish,
  write: WriteContext,
): Promise<Stored> {
  const { kind, storage, collection } = served;
  const key = keyOf(namespace, name);
  const base = collection.latest(key);
  if (base === undefined) throw notFound(kind, name);
  const before = served.show(base).object;

  const wished = wish(before);
  refuseStale(served, name, before, wished);
  const admission = subresource === "status" ? ("status" as const) : subresource;
  const context = {
    operation: "update",
    subresource: admission,
    old: before,
    user: write.user,
    config: state.config,
  } as const;
  const quiet: WriteContext = { ...write, fieldValidation: "Ignore" };

  const webhooks = webhooksOf(state, namespace, name, write);
  const seen =
    subresource === "status"
      ? admitStatus(
          kind,
          statusChanged(kind, wished.object, before),
          context,
          write,
          state.compiler,
          webhooks,
        )
      : admit(kind, changed(kind, wished.object, before), context, write, state.compiler, webhooks);
  let next = seen;
  if (served.view !== undefined) {
    const inward = served.view.fromView(seen, base.object);
    next = admit(storage, inward, { ...context, old: base.object }, quiet, state.compiler, webhooks);
  }
  next = state.rules.get(storageId(storage))?.admit?.(next, { ...context, old: base.object }, state) ?? next;

  if (unchanged(next, base.object) && sameManagers(next, base.object)) {
    // The answer may rest on a change that is still on its way to disk.
    if (write.early !== true && collection.isPending(key)) await state.durable(collection, key);
    return served.show(base);
  }
  if (subresource !== "status" && wishChanged(storage, next, base.object)) {
    next = withMetadata(next, { generation: (base.object.metadata.generation ?? 0) + 1 });
  }
  if (write.manager !== "" && wished.tracked !== true) {
    const managedFields = trackUpdate({
      schema: kind.schema,
      before,
      after: served.view === undefined ? next : seen,
      manager: write.manager,
      apiVersion: before.apiVersion,
      nowIso: state.nowIso(),
      subresource,
      operation: "Update",
      hasStatus: kind.hasStatus,
    });
    next = withMetadata(next, { managedFields });
  }
  if (write.dryRun) return preview(next, served);

  if (isReleased(state, served, next)) {
    await state.settle(state.stage(collection, "DELETED", next), write);
    // Upstream answers with the object as it was about to go, still under its old version.
    return served.show({ ...base, object: next, json: JSON.stringify(next) });
  }
  const staged = state.stage(collection, "MODIFIED", next);
  await state.settle(staged, write);
  return served.show(staged.stored);
}

/** Nothing holds it any more: no finalizer, no grace, no rule. */
export function isReleased(state: State, served: Served, object: Resource): boolean {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata;
  return (
    deletionTimestamp !== undefined &&
    (finalizers ?? []).length === 0 &&
    (deletionGracePeriodSeconds ?? 0) === 0 &&
    state.rules.get(storageId(served.storage))?.held?.(object) !== true
  );
}

function refuseStale(served: Served, name: string, before: Resource, { object, unconditional }: Wish): void {
  const { kind } = served;
  const given = object.metadata;
  if (given.name !== undefined && given.name !== "" && given.name !== name) {
    throw badRequest(`the name of the object (${given.name}) does not match the name on the URL (${name})`);
  }
  if (
    given.namespace !== undefined &&
    given.namespace !== "" &&
    given.namespace !== (before.metadata.namespace ?? "")
  ) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (given.uid !== undefined && given.uid !== "" && given.uid !== before.metadata.uid) {
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${before.metadata.uid}`,
    );
  }
  const version = given.resourceVersion ?? "";
  if (version === "" || version === "0") {
    if (kind.flavour === "custom" && unconditional !== true) {
      throw invalid(kind, name, [
        {
          ...fieldErrors.invalid("metadata.resourceVersion", 0, "must be specified for an update"),
          message: "Invalid value: 0x0: must be specified for an update",
        },
      ]);
    }
    return;
  }
  if (!/^\d+$/.test(version)) {
    throw badRequest(`metadata.resourceVersion: Invalid value: ${JSON.stringify(version)}: must be a number`);
  }
  if (version !== before.metadata.resourceVersion) throw conflict(kind, name, modifiedMeanwhile);
}
