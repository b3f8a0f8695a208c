// Creation: a name, an identity, admission, and the way to disk.
import type { Resource } from "../../domain/apis/kind.js";
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import { generatedName } from "../../domain/apis/names/index.js";
import { limits } from "../limits.js";
import { trackUpdate } from "../patch/index.js";
import { alreadyExists, badRequest, forbidden, invalid, notFound } from "../status.js";
import { admit, type Webhooks } from "./admission.js";
import type { WriteContext } from "./context.js";
import { born, withMetadata, withoutStatus } from "./metadata.js";
import { type Served, storageId } from "./served.js";
import type { State } from "./state.js";
import { keyOf, type Stored } from "./stored.js";

export interface CreateOptions {
  /** The object already says who set what: it comes from an apply. */
  readonly tracked?: boolean;
}

export async function createObject(
  state: State,
  served: Served,
  namespace: string,
  input: Resource,
  write: WriteContext,
  options: CreateOptions = {},
): Promise<Stored> {
  const object = admitted(state, served, namespace, input, write, options);
  if (write.dryRun) return preview(object, served);
  const staged = state.stage(served.collection, "ADDED", object);
  await state.settle(staged, write);
  return served.show(staged.stored);
}

/** The object as it would be stored; throws why it would not. */
function admitted(
  state: State,
  served: Served,
  namespace: string,
  input: Resource,
  write: WriteContext,
  options: CreateOptions,
): Resource {
  const { kind, storage, collection } = served;
  const where = placeOf(served, namespace, input);
  const name = freeName(state, served, where, input);
  refuseClosedNamespace(state, served, where, name);

  const birth = { name, namespace: where, uid: uuid(state.random), nowIso: state.nowIso() };
  const newborn = born(kind, keepsStatus(served) ? input : withoutStatus(input), birth);
  const context = {
    operation: "create",
    subresource: "",
    old: undefined,
    user: write.user,
    config: state.config,
  } as const;
  const seen = admit(kind, newborn, context, write, state.compiler, webhooksOf(state, where, name, write));

  const tracked = options.tracked
    ? withMetadata(seen, { managedFields: input.metadata.managedFields })
    : tracking(seen, served, write, birth.nowIso);
  let object = tracked;
  if (served.view !== undefined) {
    object = admit(
      storage,
      served.view.fromView(object, undefined),
      context,
      { ...write, fieldValidation: "Ignore" },
      state.compiler,
      webhooksOf(state, where, name, write),
    );
  }
  const rule = state.rules.get(storageId(storage));
  object = rule?.admit?.(object, context, state) ?? object;

  // Looked at last, so that a name in use is not what hides a mistake in the object.
  if (collection.latest(keyOf(where, name)) !== undefined) throw alreadyExists(kind, name);
  return object;
}

/** Namespaces may be exempt from Knative's webhooks (knative-serving.md, section 1.6). */
const exemptLabel = "webhooks.knative.dev/exclude";

export function webhooksOf(state: State, namespace: string, name: string, write: WriteContext): Webhooks {
  return {
    exempt: () => state.latest("/namespaces", "", namespace)?.metadata.labels?.[exemptLabel] !== undefined,
    tryPod(pod) {
      const served = state.served({ group: "", version: "v1", plural: "pods" });
      if (served === undefined) return;
      const metadata = { ...pod.metadata, name: `${name}-dry-run`, namespace };
      const input = { apiVersion: "v1", kind: "Pod", ...pod, metadata } as Resource;
      admitted(state, served, namespace, input, { ...write, fieldValidation: "Ignore" }, {});
    },
  };
}

function tracking(object: Resource, served: Served, write: WriteContext, nowIso: string): Resource {
  if (write.manager === "") return object;
  const managedFields = trackUpdate({
    schema: served.kind.schema,
    before: undefined,
    after: object,
    manager: write.manager,
    apiVersion: object.apiVersion,
    nowIso,
    subresource: "",
    operation: "Update",
    hasStatus: served.kind.hasStatus,
  });
  return withMetadata(object, { managedFields });
}

/** What a dry run shows: all but a resourceVersion, since nothing was stored. */
export function preview(object: Resource, served: Served): Stored {
  const stored: Stored = { key: "", revision: 0, object, json: JSON.stringify(object) };
  return served.view === undefined ? stored : served.show(stored);
}

function placeOf({ kind }: Served, namespace: string, input: Resource): string {
  const given = input.metadata.namespace ?? "";
  if (!kind.namespaced) {
    if (given !== "") {
      throw invalid(kind, input.metadata.name ?? "", [
        fieldErrors.forbidden("metadata.namespace", "not allowed on this type"),
      ]);
    }
    return "";
  }
  if (given !== "" && namespace !== "" && given !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  const place = namespace === "" ? given : namespace;
  if (place === "") throw badRequest("an empty namespace may not be set during creation");
  return place;
}

function freeName(state: State, { kind, collection }: Served, namespace: string, input: Resource): string {
  const { name, generateName } = input.metadata;
  if (name !== undefined && name !== "" && name !== null) return name;
  if (generateName === undefined || generateName === "") {
    throw invalid(kind, "", [fieldErrors.required("metadata.name", "name or generateName is required")]);
  }
  let made = generatedName(generateName, state.random);
  for (let tries = 1; tries < limits.generateNameTries; tries++) {
    if (collection.latest(keyOf(namespace, made)) === undefined) break;
    made = generatedName(generateName, state.random);
  }
  return made;
}

function refuseClosedNamespace(state: State, { kind }: Served, namespace: string, name: string): void {
  if (!kind.namespaced) return;
  const home = state.latest("/namespaces", "", namespace);
  if (home === undefined) throw notFound({ group: "", plural: "namespaces" }, namespace);
  if (home.metadata.deletionTimestamp === undefined) return;
  throw forbidden(
    kind,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      causes: [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    },
  );
}

/** The kubelet registers its Node status and all; everyone else's first status is dropped. */
function keepsStatus({ kind }: Served): boolean {
  return !kind.hasStatus || (kind.group === "" && kind.kind === "Node");
}

/** UUID v4 from the dice handed in, so that a seeded world has seeded identities. */
function uuid(random: () => number): string {
  let hex = "";
  for (let i = 0; i < 4; i++)
    hex += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, "0");
  const variant = "89ab"[Math.floor(random() * 4)] ?? "8";
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
