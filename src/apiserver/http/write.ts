// POST, PUT and PATCH of objects.
import type { Kind, Resource } from "../../domain/apis/kind.js";
import {
  type PatchRequest,
  patchObject,
  type Served,
  type Stored,
  type Subresource,
  scaleOf,
  withScale,
} from "../registry/index.js";
import { badRequest, notFound, refusal } from "../status.js";

import { asObject, parseYaml, readBody, readBytes } from "./body.js";
import { acceptedBy, type Call, mediaTypeOf, warnOfDeprecation, writeContextOf } from "./call.js";
import { isTrue, type ResourcePath } from "./path.js";
import { answer } from "./respond.js";
import { shapeObject, tableWishes } from "./shapes.js";

export async function createOne(call: Call, served: Served, { namespace }: ResourcePath): Promise<void> {
  const { registry } = call.house;
  const accepted = acceptedBy(call, served);
  warnOfDeprecation(call, served);
  const context = writeContextOf(call, "CreateOptions");
  const body = await bodyFor(call, served);
  const object = asObject(served.kind, body.value);
  const write = { ...context, duplicateFields: body.duplicates };
  const stored = await registry.create(served, namespace, object, write);
  return answer(
    call,
    201,
    shapeObject(served, stored, accepted, tableWishes(call.query, call.house.clock.now())),
    accepted,
  );
}

/** Kinds that a PUT may bring into being, as upstream has it. */
const bornByPut = new Set([
  "/services",
  "/endpoints",
  "/events",
  "/limitranges",
  "coordination.k8s.io/leases",
  "rbac.authorization.k8s.io/roles",
  "rbac.authorization.k8s.io/rolebindings",
  "rbac.authorization.k8s.io/clusterroles",
  "rbac.authorization.k8s.io/clusterrolebindings",
]);

export async function replaceOne(call: Call, served: Served, path: ResourcePath): Promise<void> {
  const { registry } = call.house;
  const { kind } = served;
  const { namespace, name } = path;
  const accepted = acceptedBy(call, served);
  warnOfDeprecation(call, served);
  const context = writeContextOf(call, "UpdateOptions");
  const subresource = asSubresource(path.subresource);

  if (subresource === "scale") {
    const body = await readBody(call.request, "Scale", schemaFinder(call));
    const stored = await registry.update(
      served,
      namespace,
      name,
      "scale",
      (current) => ({ object: withScale(kind, current, body?.value), unconditional: true }),
      context,
    );
    return answer(call, 200, scaleOf(kind, stored.object), accepted);
  }

  const body = await bodyFor(call, served);
  const object = asObject(kind, body.value);
  const write = { ...context, duplicateFields: body.duplicates };
  const wanted = object.metadata.name;
  if (wanted === undefined || wanted === "") {
    throw badRequest(`the name of the object (${wanted ?? ""}) does not match the name on the URL (${name})`);
  }
  if (registry.get(served, namespace, name) === undefined) {
    const id = `${kind.group}/${kind.plural}`;
    const version = object.metadata.resourceVersion ?? "";
    if (subresource !== "" || !bornByPut.has(id) || version !== "") throw notFound(kind, name);
    const stored = await registry.create(served, namespace, object, write);
    return answer(call, 201, stored.json, accepted);
  }
  const stored = await registry.update(served, namespace, name, subresource, () => ({ object }), write);
  return answer(
    call,
    200,
    shapeObject(served, stored, accepted, tableWishes(call.query, call.house.clock.now())),
    accepted,
  );
}

export async function patchOne(call: Call, served: Served, path: ResourcePath): Promise<void> {
  const { registry } = call.house;
  const { kind } = served;
  const { namespace, name } = path;
  const accepted = acceptedBy(call, served);
  warnOfDeprecation(call, served);
  const context = writeContextOf(call, "PatchOptions");
  const patch: PatchRequest = {
    ...(await readPatch(call, kind)),
    subresource: asSubresource(path.subresource),
    force: isTrue(call.query.get("force")),
  };
  const { stored, created } = await patchObject(registry, served, namespace, name, patch, context);
  const code = created ? 201 : 200;
  if (patch.subresource === "scale") return answer(call, code, scaleOf(kind, stored.object), accepted);
  return answer(
    call,
    code,
    shapeObject(served, stored, accepted, tableWishes(call.query, call.house.clock.now())),
    accepted,
  );
}

async function readPatch(call: Call, kind: Kind): Promise<Pick<PatchRequest, "type" | "body">> {
  const type = patchType(mediaTypeOf(call.request), kind);
  const text = (await readBytes(call.request)).toString("utf8");
  try {
    return { type, body: JSON.parse(text) };
  } catch (error) {
    // kubectl and the client libraries declare an apply patch as YAML; people who type curl really send YAML.
    if (type === "apply") return { type, body: (await parseYaml(text, kind.kind)).value };
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : error}`);
  }
}

function patchType(mediaType: string, kind: Kind): PatchRequest["type"] {
  switch (mediaType) {
    case "application/json-patch+json":
      return "json";
    case "application/merge-patch+json":
      return "merge";
    case "application/apply-patch+yaml":
      return "apply";
    case "application/strategic-merge-patch+json":
      if (kind.flavour === "builtin") return "strategic";
  }
  const known = ["application/json-patch+json", "application/merge-patch+json"];
  if (kind.flavour === "builtin") known.push("application/strategic-merge-patch+json");
  known.push("application/apply-patch+yaml");
  throw refusal(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${known.join(", ")}`,
    {},
  );
}

export async function finalizeNamespace(call: Call, served: Served, { name }: ResourcePath): Promise<void> {
  const body = await bodyFor(call, served);
  const object = asObject(served.kind, body.value) as Resource & {
    readonly spec?: { readonly finalizers?: readonly string[] };
  };
  const stored: Stored = await call.house.registry.finalizeNamespace(name, object.spec?.finalizers ?? []);
  return answer(call, 200, stored.json);
}

async function bodyFor(call: Call, served: Served) {
  const body = await readBody(call.request, served.kind.kind, schemaFinder(call));
  if (body !== undefined) return body;
  throw refusal(
    "BadRequest",
    `the object provided is unrecognized (must be of type ${served.kind.kind}): couldn't get version/kind; json parse error: unexpected end of JSON input ()`,
  );
}

function schemaFinder(call: Call) {
  return (apiVersion: string, kind: string) =>
    call.house.registry.served.named(apiVersion, kind)?.kind.schema;
}

function asSubresource(text: string): Subresource {
  if (text === "" || text === "status" || text === "scale") return text;
  throw refusal("NotFound", "the server could not find the requested resource", {});
}
