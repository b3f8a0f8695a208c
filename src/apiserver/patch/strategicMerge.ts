// Strategic merge patch (kubernetes-api.md, section 13): lists merge by key where the schema names one.

import { goKind, isObject, type Obj, own, setMember } from "./json.js";
import { type PatchOutcome, plainError, undecodable } from "./outcome.js";
import { memberNode, type SchemaNode } from "./schemaNode.js";
import { mergeList, reordered } from "./strategicList.js";
import { badDirective, PatchProblem } from "./strategicProblem.js";

export function strategicMerge(schema: SchemaNode, target: unknown, patch: unknown): PatchOutcome {
  if (!isObject(patch)) {
    return undecodable(
      `json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  try {
    return { outcome: "patched", object: mergeMap(schema, isObject(target) ? target : {}, patch) };
  } catch (problem) {
    if (problem instanceof PatchProblem) return plainError(problem.message);
    throw problem;
  }
}

const orderPrefix = "$setElementOrder/";
const removePrefix = "$deleteFromPrimitiveList/";

function mergeMap(node: SchemaNode | undefined, target: Obj, patch: Obj): Obj {
  if (Object.hasOwn(patch, "$patch")) {
    const { $patch: directive, ...rest } = patch;
    if (directive === "replace") return rest;
    if (directive === "delete") return {};
    throw badDirective(directive, patch);
  }
  const result: Record<string, unknown> = { ...retained(target, patch) };
  for (const name of Object.keys(patch)) {
    if (name.startsWith(removePrefix)) removeValues(result, name.slice(removePrefix.length), patch[name]);
  }
  for (const name of Object.keys(patch)) {
    if (name.startsWith("$")) continue;
    const wished = patch[name];
    if (wished === null) delete result[name];
    else
      setMember(result, name, member(memberNode(node, name), own(result, name), wished, order(patch, name)));
  }
  // An order may come without new items: then it only moves what is there.
  for (const name of Object.keys(patch)) {
    if (!name.startsWith(orderPrefix)) continue;
    const field = name.slice(orderPrefix.length);
    const list = own(result, field);
    if (own(patch, field) !== undefined || !Array.isArray(list)) continue;
    setMember(
      result,
      field,
      reordered(list, list, order(patch, field) ?? [], mergeKeyOf(memberNode(node, field))),
    );
  }
  return result;
}

function order(patch: Obj, field: string): readonly unknown[] | undefined {
  const listed = own(patch, orderPrefix + field);
  return Array.isArray(listed) ? listed : undefined;
}

function retained(target: Obj, patch: Obj): Obj {
  const keys = own(patch, "$retainKeys");
  if (!Array.isArray(keys)) return target;
  return Object.fromEntries(Object.entries(target).filter(([name]) => keys.includes(name)));
}

function removeValues(result: Record<string, unknown>, field: string, values: unknown): void {
  const list = own(result, field);
  if (!Array.isArray(list) || !Array.isArray(values)) return;
  setMember(
    result,
    field,
    list.filter((item) => !values.includes(item)),
  );
}

function member(
  node: SchemaNode | undefined,
  before: unknown,
  wished: unknown,
  ordered: readonly unknown[] | undefined,
): unknown {
  const replaces = node?.["x-kubernetes-patch-strategy"]?.split(",").includes("replace") === true;
  if (isObject(wished)) return replaces ? wished : mergeMap(node, isObject(before) ? before : {}, wished);
  if (!Array.isArray(wished)) return wished;
  const merges = node?.["x-kubernetes-patch-strategy"]?.split(",").includes("merge") === true;
  if (!merges) return wished;
  const merge = (item: Obj, patch: Obj) => mergeMap(node?.items, item, patch);
  return mergeList(Array.isArray(before) ? before : [], wished, mergeKeyOf(node), ordered, merge);
}

function mergeKeyOf(node: SchemaNode | undefined): string | undefined {
  return node?.["x-kubernetes-patch-merge-key"];
}
