// Whether a refusal is one a client can act on: a code of theirs, and for what is wrong in the object, where.
import type { Status } from "../../src/apiserver/index.js";
import type { SchemaNode } from "../../src/domain/apis/schema/index.js";

const codes = new Set([400, 403, 404, 409, 413, 415, 422]);

/** Refusals of patches in which the real server names no field, or answers 500. */
const upstreams = [
  "failed to create typed patch object",
  "the server rejected our request due to an error in our request",
];

/** What is wrong with a refusal; empty when it is as it should be. `schemas`: as seen, and as stored. */
export function faultsOf(
  { code = 0, message = "", details }: Status,
  schemas: readonly SchemaNode[],
  mutated: readonly string[],
): readonly string[] {
  if (upstreams.some((own) => message.startsWith(own))) return [];
  if (!codes.has(code)) return [`code ${code}: ${message}`];
  const denied = /denied the request: (.*)/s.exec(message)?.[1];
  if (denied !== undefined && !/\b(spec|metadata)\b|\bannotations\b|\blabels\b/.test(denied))
    return [`names no path: ${message}`];
  if (code !== 422) return message === "" ? ["no message"] : [];
  const causes = details?.causes ?? [];
  if (causes.length === 0) return [`no causes: ${message}`];
  return causes
    .filter(
      ({ field = "" }) =>
        !isKnown(field, schemas) && !mutated.some((path) => field !== "" && path.startsWith(field)),
    )
    .map(({ field = "", message: why }) => `the path ${JSON.stringify(field)} leads nowhere: ${why}`);
}

/** The real server loses the place of some errors, and prints it so. */
const placeless = new Set(["<nil>", "[]"]);

function isKnown(field: string, schemas: readonly SchemaNode[]): boolean {
  return placeless.has(field) || (field !== "" && schemas.some((schema) => leads(field, schema)));
}

function leads(field: string, schema: SchemaNode): boolean {
  let node: SchemaNode | undefined = schema;
  for (const [, name, index] of field.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (node === undefined) return false;
    // Keys of maps may hold dots: what follows is the key's.
    if (node.additionalProperties !== undefined && node.properties === undefined) return true;
    if (node["x-kubernetes-preserve-unknown-fields"] === true && node.properties?.[name ?? ""] === undefined)
      return true;
    // Upstream writes so of a member whose name is a value's: spec.resources[storage].
    if (index !== undefined && node.items === undefined) return true;
    if (index !== undefined) node = node.items;
    else node = (node.items ?? node).properties?.[name ?? ""];
  }
  return node !== undefined;
}
