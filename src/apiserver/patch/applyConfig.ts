// An applied configuration as it comes in: every field known, every item told from the others.

import { pathsOf } from "./fields.js";
import { isObject, type Obj, setMember } from "./json.js";
import { memberNode, type SchemaNode } from "./schemaNode.js";
import { itemElement, keyValues } from "./structure.js";

/** What is wrong with it, each with its path: `.spec.nosuch: field not declared in schema`. */
export function configProblems(schema: SchemaNode, config: Obj): readonly string[] {
  const problems: string[] = [];
  inspect(schema, config, "", problems);
  return problems;
}

function inspect(node: SchemaNode | undefined, value: unknown, path: string, problems: string[]): void {
  if (node === undefined) return;
  if (Array.isArray(value)) inspectList(node, value, path, problems);
  else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      const schema = memberNode(node, name);
      if (schema === undefined && !isOpen(node))
        problems.push(`${path}.${name}: field not declared in schema`);
      else inspect(schema, value[name], `${path}.${name}`, problems);
    }
  }
}

function isOpen(node: SchemaNode): boolean {
  return (
    node["x-kubernetes-preserve-unknown-fields"] === true ||
    node["x-kubernetes-embedded-resource"] === true ||
    node["x-kubernetes-int-or-string"] === true ||
    node.properties === undefined
  );
}

function inspectList(node: SchemaNode, list: readonly unknown[], path: string, problems: string[]): void {
  const type = node["x-kubernetes-list-type"];
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const isKeyed = type === "map" || type === "set";
    const element = isKeyed ? itemElement(node, item) : `i:${index}`;
    const shown = pathsOf({ [element]: {} })[0] ?? "";
    if (type === "map" && Object.keys(keyValues(node, item)).length === 0) {
      const key = node["x-kubernetes-list-map-keys"]?.[0] ?? "";
      problems.push(
        `${path}: element ${index}: associative list with keys has an element that omits key field ${JSON.stringify(key)}`,
      );
    } else if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${shown}`);
    seen.add(element);
    inspect(node.items, item, path + shown, problems);
  }
}

/** Without nulls the schema does not allow: clients write `creationTimestamp: null` and mean nothing by it. */
export function withoutNulls(node: SchemaNode | undefined, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(node?.items, item));
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const schema = memberNode(node, name);
    if (
      value[name] === undefined ||
      (value[name] === null && schema !== undefined && !mayBeNull(schema, name))
    )
      continue;
    setMember(result, name, withoutNulls(schema, value[name]));
  }
  return result;
}

function mayBeNull(schema: SchemaNode, name: string): boolean {
  return schema.nullable === true && name !== "creationTimestamp" && name !== "deletionTimestamp";
}
