// From a request to the one function that answers it: who asks, what about, may they.
import { qualifiedPlural } from "../../domain/apis/kind.js";
import type { Deed } from "../auth/authorize.js";
import type { Served } from "../registry/index.js";
import { forbidden, methodNotAllowed, noSuchResource, notFound, refusal } from "../status.js";
import { podLogs, portForwardTargetCheck } from "../streams/logs.js";
import { revisionLogs } from "../streams/revisionLogs.js";
import { bind, evict, requestToken } from "../virtual/actions.js";
import type { Virtual } from "../virtual/virtual.js";
import type { Call } from "./call.js";
import { deleteMany, deleteOne } from "./delete.js";
import { isTrue, parseResourcePath, type ResourcePath } from "./path.js";
import { answerPlain, notThere, type Plain } from "./plain.js";
import { getObject, listObjects } from "./read.js";
import { answer } from "./respond.js";
import { watchObjects } from "./watch.js";
import { createOne, finalizeNamespace, patchOne, replaceOne } from "./write.js";

export interface Routes {
  readonly plain: Plain;
  readonly virtuals: readonly Virtual[];
}

/** Told to the meter when the answer is out. */
export interface Routed {
  readonly verb: string;
  readonly resource: string;
}

export async function route(call: Call, routes: Routes, tell: (routed: Routed) => void): Promise<void> {
  const path = parseResourcePath(call.path);
  if (path === undefined) {
    tell({ verb: (call.request.method ?? "").toLowerCase(), resource: "" });
    permitPath(call);
    return answerPlain(call, routes.plain);
  }
  const verb = verbOf(call, path);
  tell({ verb, resource: path.subresource === "" ? path.plural : `${path.plural}/${path.subresource}` });
  if (path.plural === "") return answerResources(call, routes, path);
  permit(call, verb, path);

  const virtual = routes.virtuals.find(
    (one) => one.group === path.group && one.version === path.version && one.plural === path.plural,
  );
  if (virtual !== undefined) {
    if (path.subresource !== "") throw noSuchResource();
    if (!virtual.verbs.includes(verb)) throw methodNotAllowed();
    return virtual.answer(call, path);
  }
  const served = call.house.registry.served.find(path.group, path.version, path.plural);
  if (served === undefined) return answerUnserved(call, routes, path);
  return answerObjects(call, served, inPlace(served, path), verb);
}

function answerObjects(call: Call, served: Served, path: ResourcePath, verb: string): Promise<void> {
  if (path.subresource !== "") return answerSubresource(call, served, path, verb);
  // One is changed by its name, and made at the place where all are.
  const named = path.name !== "";
  if (named ? verb === "create" : verb === "update" || verb === "patch") throw methodNotAllowed();
  switch (verb) {
    case "get":
      return getObject(call, served, path);
    case "list":
      return listObjects(call, served, path);
    case "watch":
      return watchObjects(call, served, path);
    case "create":
      return createOne(call, served, path);
    case "update":
      return replaceOne(call, served, path);
    case "patch":
      return patchOne(call, served, path);
    case "delete":
      return deleteOne(call, served, path);
    case "deletecollection":
      if (served.kind.group === "" && served.kind.plural === "namespaces") throw methodNotAllowed();
      return deleteMany(call, served, path);
    default:
      throw methodNotAllowed();
  }
}

function answerSubresource(call: Call, served: Served, path: ResourcePath, verb: string): Promise<void> {
  const { kind } = served;
  const { subresource, name } = path;
  if ((subresource === "status" && kind.hasStatus) || (subresource === "scale" && kind.scale !== undefined)) {
    switch (verb) {
      case "get":
        return getObject(call, served, path);
      case "update":
        return replaceOne(call, served, path);
      case "patch":
        return patchOne(call, served, path);
      default:
        throw methodNotAllowed();
    }
  }
  switch (`${qualifiedPlural(kind)}/${subresource} ${verb}`) {
    case "revisions.serving.knative.dev/log get":
      return revisionLogs(call, served, path);
    case "namespaces/finalize update":
      return finalizeNamespace(call, served, path);
    case "serviceaccounts/token create":
      return requestToken(call, served, path);
    case "pods/eviction create":
      return evict(call, served, path);
    case "pods/binding create":
      return bind(call, served, path);
    case "pods/log get":
      return podLogs(call, served, path);
    case "pods/exec get":
    case "pods/exec create":
    case "pods/attach get":
    case "pods/attach create":
    case "pods/portforward get":
    case "pods/portforward create":
      // A proper request for these never comes here: it asks to upgrade.
      portForwardTargetCheck(call, served, path);
      throw refusal("BadRequest", "Upgrade request required");
  }
  if (kind.flavour === "custom") throw notFound(kind, name);
  throw noSuchResource();
}

function answerResources(call: Call, { plain }: Routes, { group, version }: ResourcePath): Promise<void> {
  permitPath(call);
  const list = plain.discovery.resourceList(group, version);
  if (list === undefined) return notThere(call);
  if (call.request.method !== "GET") throw methodNotAllowed();
  return answer(call, 200, list);
}

/** A group we have answers in the API's form, anything else like a path that leads nowhere. */
function answerUnserved(call: Call, { plain }: Routes, { group, version }: ResourcePath): Promise<void> {
  if (plain.discovery.versions(group).includes(version) || group === "") throw noSuchResource();
  return notThere(call);
}

/** A name in a namespace is no part of a cluster-scoped kind's address. */
function inPlace(served: Served, path: ResourcePath): ResourcePath {
  if (served.kind.namespaced) {
    if (path.name !== "" && path.namespace === "") throw noSuchResource();
    return path;
  }
  if (path.namespace !== "") throw noSuchResource();
  return path;
}

function verbOf({ request, query }: Pick<Call, "request" | "query">, path: ResourcePath): string {
  switch (request.method) {
    case "GET":
    case "HEAD":
      if (path.subresource !== "") return "get";
      if (path.watch || (path.name === "" && isTrue(query.get("watch")))) return "watch";
      return path.name === "" ? "list" : "get";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return path.name === "" ? "deletecollection" : "delete";
    default:
      throw methodNotAllowed();
  }
}

export function permit({ house, user, path: url }: Call, verb: string, path: ResourcePath): void {
  const { group, plural, subresource, name } = path;
  // A namespace is itself a resource at the cluster's scope, but rules within it may speak of it.
  const namespace = group === "" && plural === "namespaces" ? name : path.namespace;
  const resource = subresource === "" ? plural : `${plural}/${subresource}`;
  const deed: Deed = { verb, group, resource, name, namespace, path: url };
  if (house.authorizer.allows(user, deed)) return;
  const where =
    path.namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(path.namespace)}`;
  throw forbidden(
    { group, plural },
    name,
    `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)} ${where}`,
  );
}

function permitPath({ house, user, path, request }: Call): void {
  const verb = (request.method ?? "GET").toLowerCase();
  const deed: Deed = {
    verb: verb === "head" ? "get" : verb,
    group: "",
    resource: "",
    name: "",
    namespace: "",
    path,
  };
  if (house.authorizer.allows(user, deed)) return;
  throw refusal(
    "Forbidden",
    `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}`,
    {},
  );
}
