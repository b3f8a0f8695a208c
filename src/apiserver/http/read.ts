// GET of one object or of many.
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import { type ListRequest, listPage } from "../listing.js";
import { type Served, scaleOf } from "../registry/index.js";
import { badRequest, invalidOptions, notFound } from "../status.js";
import { acceptedBy, type Call, warnOfDeprecation } from "./call.js";
import { isTrue, type ResourcePath } from "./path.js";
import { answer } from "./respond.js";
import { shapeList, shapeObject, tableWishes } from "./shapes.js";

export async function getObject(
  call: Call,
  served: Served,
  { namespace, name, subresource }: ResourcePath,
): Promise<void> {
  const accepted = acceptedBy(call, served);
  warnOfDeprecation(call, served);
  const stored = call.house.registry.get(served, namespace, name);
  if (stored === undefined) throw notFound(served.kind, name);
  if (subresource === "scale") {
    const scale = scaleOf(served.kind, stored.object);
    return answer(call, 200, accepted.as === "Table" ? scaleTable(scale, call) : scale, accepted);
  }
  return answer(
    call,
    200,
    shapeObject(served, stored, accepted, tableWishes(call.query, call.house.clock.now())),
    accepted,
  );
}

export async function listObjects(
  call: Call,
  served: Served,
  { namespace, name }: ResourcePath,
): Promise<void> {
  const { query, house } = call;
  const accepted = acceptedBy(call, served);
  warnOfDeprecation(call, served);
  if (isTrue(query.get("sendInitialEvents"))) {
    throw invalidOptions("ListOptions", [
      fieldErrors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"),
    ]);
  }
  const page = await listPage(house.registry, served, listRequestOf(query, namespace, name));
  return answer(
    call,
    200,
    shapeList(served, page, accepted, tableWishes(query, house.clock.now())),
    accepted,
  );
}

export function listRequestOf(query: URLSearchParams, namespace: string, name = ""): ListRequest {
  const limit = query.get("limit");
  if (limit !== null && limit !== "" && !/^-?\d+$/.test(limit)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(limit)}: invalid syntax`);
  }
  const fields = query.get("fieldSelector") ?? "";
  const byName = name === "" ? "" : `metadata.name=${name}`;
  return {
    namespace,
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: [fields, byName].filter((one) => one !== "").join(","),
    limit: limit ? Math.max(0, Number(limit)) : 0,
    continue: query.get("continue") ?? "",
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
  };
}

function scaleTable(scale: ReturnType<typeof scaleOf>, call: Call): object {
  const column = (name: string, type: string, format: string, description: string) => ({
    name,
    type,
    format,
    description,
    priority: 0,
  });
  const bornMs = Date.parse(String(scale.metadata["creationTimestamp"]));
  const ageSeconds = Math.max(0, Math.floor((call.house.clock.now() - bornMs) / 1000));
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: scale.metadata["resourceVersion"] },
    columnDefinitions: [
      column("Name", "string", "name", "The scaled object's name."),
      column("Desired", "integer", "int32", "How many are wished for."),
      column("Available", "integer", "int32", "How many there are."),
      column("Age", "date", "", "How long the object has been there."),
    ],
    rows: [
      {
        cells: [scale.metadata["name"], scale.spec.replicas ?? 0, scale.status.replicas, `${ageSeconds}s`],
        object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: scale.metadata },
      },
    ],
  };
}
