// PATCH in its four tongues, from a body to the object it asks for.
import { apiVersionOf, type Resource } from "../../domain/apis/kind.js";
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import { troubleIn } from "../bounds.js";
import { limits } from "../limits.js";
import { jsonPatch, mergePatch, type PatchInvalid, serverSideApply, strategicMerge } from "../patch/index.js";
import { badRequest, invalid, invalidOptions, notFound, refusal } from "../status.js";
import type { WriteContext } from "./context.js";
import type { Registry } from "./registry.js";
import { scaleOf, withScale } from "./scale.js";
import type { Served } from "./served.js";
import { keyOf, type Stored } from "./stored.js";
import type { Subresource, Wish } from "./update.js";

export interface PatchRequest {
  readonly type: "merge" | "json" | "strategic" | "apply";
  readonly body: unknown;
  readonly subresource: Subresource;
  readonly force: boolean;
}

export interface Patched {
  readonly stored: Stored;
  readonly created: boolean;
}

export async function patchObject(
  registry: Registry,
  served: Served,
  namespace: string,
  name: string,
  patch: PatchRequest,
  write: WriteContext,
): Promise<Patched> {
  if (patch.type === "apply") return applyObject(registry, served, namespace, name, patch, write);
  if (patch.force) {
    throw invalidOptions("PatchOptions", [
      fieldErrors.forbidden("force", "may not be specified for non-apply patch"),
    ]);
  }
  const wish = (current: Resource): Wish => {
    if (patch.subresource !== "scale") {
      return { object: asResource(patched(served, current, patch), current), unconditional: true };
    }
    const scale = patched(served, scaleOf(served.kind, current) as unknown as Resource, patch);
    return { object: withScale(served.kind, current, scale), unconditional: true };
  };
  const stored = await registry.update(served, namespace, name, patch.subresource, wish, write);
  return { stored, created: false };
}

async function applyObject(
  registry: Registry,
  served: Served,
  namespace: string,
  name: string,
  patch: PatchRequest,
  write: WriteContext,
): Promise<Patched> {
  const { kind } = served;
  if (write.manager === "") {
    throw invalidOptions("PatchOptions", [
      fieldErrors.required("fieldManager", "is required for apply patch"),
    ]);
  }
  const config = configOf(served, patch.body, namespace, name);
  const apply = (live: Resource | undefined): Wish => {
    const outcome = serverSideApply({
      schema: kind.schema,
      live,
      config,
      manager: write.manager,
      apiVersion: apiVersionOf(kind),
      force: patch.force,
      nowIso: nowIsoOf(registry),
      subresource: patch.subresource,
    });
    if (outcome.outcome === "invalid") throw refused(outcome);
    if (outcome.outcome === "conflict") {
      throw refusal("Conflict", outcome.message, {
        causes: outcome.conflicts.map(({ message, field }) => ({
          reason: "FieldManagerConflict",
          message,
          field,
        })),
      });
    }
    return { object: outcome.object, tracked: true, unconditional: true };
  };

  if (served.collection.latest(keyOf(kind.namespaced ? namespace : "", name)) === undefined) {
    if (patch.subresource !== "") throw notFound(kind, name);
    const { object } = apply(undefined);
    const stored = await registry.create(served, namespace, object, write, { tracked: true });
    return { stored, created: true };
  }
  const stored = await registry.update(served, namespace, name, patch.subresource, apply, write);
  return { stored, created: false };
}

function nowIsoOf(registry: Registry): string {
  return `${new Date(registry.clock.now()).toISOString().slice(0, 19)}Z`;
}

function configOf(served: Served, body: unknown, namespace: string, name: string): Resource {
  const { kind } = served;
  const config = body as Partial<Resource> | null;
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw badRequest("error decoding patch: an apply patch must be an object");
  }
  if (config.apiVersion === undefined || config.apiVersion === "" || config.kind === undefined) {
    throw badRequest(`invalid object type: /, Kind=${config.kind ?? ""}`);
  }
  if (config.apiVersion !== apiVersionOf(kind) || config.kind !== kind.kind) {
    throw badRequest(
      `the API version in the data (${config.apiVersion}) does not match the expected API version (${apiVersionOf(kind)})`,
    );
  }
  const metadata = config.metadata ?? { name };
  if (metadata.managedFields !== undefined && metadata.managedFields !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  if (metadata.name !== undefined && metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  return {
    ...(config as Resource),
    metadata: { ...metadata, name, ...(kind.namespaced ? { namespace } : {}) },
  };
}

function patched(served: Served, current: Resource, { type, body }: PatchRequest): unknown {
  switch (type) {
    case "merge": {
      const outcome = mergePatch(current, body);
      if (outcome.outcome === "invalid") throw refused(outcome);
      return outcome.object;
    }
    case "json": {
      if (Array.isArray(body) && body.length > limits.jsonPatchOperations) {
        throw refusal(
          "RequestEntityTooLarge",
          `The allowed maximum operations in a JSON patch is ${limits.jsonPatchOperations}, got ${body.length}`,
        );
      }
      const outcome = jsonPatch(current, body);
      if (outcome.outcome === "invalid") throw refused(outcome);
      return outcome.object;
    }
    case "strategic": {
      const outcome = strategicMerge(served.kind.schema, current, body);
      if (outcome.outcome === "invalid") throw refused(outcome);
      return outcome.object;
    }
    case "apply":
      throw new Error("an apply has its own road");
  }
}

/** A patch may have made anything of it; from here on it must have the outline of an object. */
function asResource(value: unknown, current: Resource): Resource {
  const object = value as Partial<Resource> | null;
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    throw badRequest("the patched object is not an object");
  }
  // Patch by patch an object could grow deeper than any body may be.
  const trouble = troubleIn(object);
  if (trouble !== undefined) throw badRequest(`the patched object: ${trouble}`);
  const { metadata } = object;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw invalid({ group: "", kind: current.kind }, current.metadata.name, [
      fieldErrors.required("metadata.name"),
    ]);
  }
  for (const field of ["name", "namespace", "uid", "resourceVersion"] as const) {
    const text: unknown = metadata[field];
    if (text === undefined || text === null || typeof text === "string") continue;
    throw badRequest(
      `json: cannot unmarshal ${typeof text} into Go struct field ObjectMeta.${field} of type string`,
    );
  }
  return object as Resource;
}

export function refused(outcome: PatchInvalid): Error {
  const { reason, message, causes } = outcome;
  return refusal(reason, message, causes === undefined ? {} : { causes });
}
