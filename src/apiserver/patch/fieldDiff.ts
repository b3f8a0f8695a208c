// Which fields a write changed, and which it took away.
import { equalJson } from "../../domain/apis/schema/index.js";
import { type Fields, isEmpty, leaf } from "./fields.js";
import { isObject, type Obj } from "./json.js";
import { memberNode, type SchemaNode } from "./schemaNode.js";
import { byIdentity, shapeOf } from "./structure.js";

export interface FieldDiff {
  /** Added, or with another value than before. */
  readonly changed: Fields | undefined;
  readonly removed: Fields | undefined;
}

const nothing: FieldDiff = { changed: undefined, removed: undefined };

/** What nobody owns: identity and what the server keeps about an object. */
const serversMetadata: ReadonlySet<string> = new Set([
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "managedFields",
  "selfLink",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
]);
const untracked: ReadonlySet<string> = new Set(["apiVersion", "kind"]);
const noNames: ReadonlySet<string> = new Set();

/** Two objects; `ignored` are members of the top level that this write has no say in. */
export function diffObjects(
  schema: SchemaNode,
  before: Obj | undefined,
  after: Obj,
  ignored: readonly string[],
): FieldDiff {
  // Metadata is always there, so it is never "added" as a whole.
  const base = before ?? { metadata: {} };
  return diffMembers(
    schema,
    base,
    after,
    ignored.length === 0 ? untracked : new Set([...untracked, ...ignored]),
    true,
  );
}

function diffValues(node: SchemaNode | undefined, before: unknown, after: unknown): FieldDiff {
  if (before === after) return nothing;
  if (before === undefined) return { changed: everything(node, after), removed: undefined };
  if (after === undefined) return { changed: undefined, removed: everything(node, before) };
  const left = shapeOf(node, before);
  const right = shapeOf(node, after);
  if (left.is === "members" && right.is === "members") {
    return diffMembers(node, left.object, right.object, noNames, false);
  }
  if (left.is === "items" && right.is === "items") {
    const [old, now] = [byIdentity(left), byIdentity(right)];
    if (old !== undefined && now !== undefined) return diffItems(node?.items, old, now);
  }
  return equalJson(before, after) ? nothing : { changed: leaf, removed: undefined };
}

function diffMembers(
  node: SchemaNode | undefined,
  before: Obj,
  after: Obj,
  skip: ReadonlySet<string>,
  isRoot: boolean,
): FieldDiff {
  const diff = new Gathered();
  for (const name in after) {
    const [was, is] = [before[name], after[name]];
    if (was === is || skip.has(name)) continue;
    const schema = memberNode(node, name);
    if (isRoot && name === "metadata" && isObject(is)) {
      diff.add("f:metadata", diffMembers(schema, isObject(was) ? was : {}, is, serversMetadata, false));
    } else {
      diff.add(`f:${name}`, diffValues(schema, was, is));
    }
  }
  for (const name in before) {
    if (after[name] !== undefined || before[name] === undefined || skip.has(name)) continue;
    diff.add(`f:${name}`, diffValues(memberNode(node, name), before[name], undefined));
  }
  return diff.result();
}

function diffItems(
  items: SchemaNode | undefined,
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): FieldDiff {
  const diff = new Gathered();
  for (const [element, item] of after) diff.add(element, diffValues(items, before.get(element), item));
  for (const [element, item] of before) {
    if (!after.has(element)) diff.add(element, diffValues(items, item, undefined));
  }
  return diff.result();
}

class Gathered {
  private changed: Record<string, Fields> | undefined;
  private removed: Record<string, Fields> | undefined;

  add(element: string, { changed, removed }: FieldDiff): void {
    if (changed !== undefined) {
      this.changed ??= {};
      this.changed[element] = changed;
    }
    if (removed !== undefined) {
      this.removed ??= {};
      this.removed[element] = removed;
    }
  }

  result(): FieldDiff {
    return this.changed === undefined && this.removed === undefined
      ? nothing
      : { changed: this.changed, removed: this.removed };
  }
}

/** A value and all within it, each as a member: what appeared (or went) did so as a whole. */
function everything(node: SchemaNode | undefined, value: unknown): Fields {
  const shape = shapeOf(node, value);
  const fields: Record<string, Fields> = {};
  if (shape.is === "members") {
    for (const name in shape.object) {
      if (shape.object[name] !== undefined)
        fields[`f:${name}`] = everything(memberNode(node, name), shape.object[name]);
    }
  } else if (shape.is === "items") {
    for (const [element, item] of byIdentity(shape) ?? []) fields[element] = everything(node?.items, item);
  }
  return isEmpty(fields) ? leaf : { ".": leaf, ...fields };
}

/** What an applied configuration owns: its leaves, its items, and the empty objects it insists on. */
export function fieldsOfConfig(schema: SchemaNode, config: Obj, ignored: readonly string[]): Fields {
  const fields: Record<string, Fields> = {};
  for (const name of Object.keys(config)) {
    if (untracked.has(name) || ignored.includes(name) || config[name] === undefined) continue;
    const isMetadata = name === "metadata";
    const owned = owns(memberNode(schema, name), config[name], isMetadata ? serversMetadata : noNames);
    if (owned !== undefined && !(isMetadata && isEmpty(owned))) fields[`f:${name}`] = owned;
  }
  return fields;
}

function owns(node: SchemaNode | undefined, value: unknown, skip: ReadonlySet<string>): Fields | undefined {
  const shape = shapeOf(node, value);
  if (shape.is === "whole") return leaf;
  const fields: Record<string, Fields> = {};
  if (shape.is === "members") {
    for (const name of Object.keys(shape.object)) {
      if (skip.has(name) || shape.object[name] === undefined) continue;
      const declared = node?.properties !== undefined && Object.hasOwn(node.properties, name);
      const owned = owns(memberNode(node, name), shape.object[name], noNames);
      // Keys of a map are there because someone wants them; members of a struct always are.
      if (owned !== undefined)
        fields[`f:${name}`] = declared || isEmpty(owned) ? owned : { ".": leaf, ...owned };
    }
    return fields;
  }
  const items = byIdentity(shape);
  if (items === undefined) return leaf;
  // An empty list says nothing about any item.
  if (items.size === 0) return undefined;
  for (const [element, item] of items) {
    const owned = owns(node?.items, item, noNames) ?? leaf;
    fields[element] = isEmpty(owned) ? leaf : { ".": leaf, ...owned };
  }
  return fields;
}
