// Laying an applied configuration over an object, and taking away what it no longer mentions.
import { type Fields, isMember } from "./fields.js";
import { isObject, type Obj, setMember } from "./json.js";
import { memberNode, type SchemaNode } from "./schemaNode.js";
import { byIdentity, shapeOf } from "./structure.js";

/** Parts that are equal already are shared with `live`. */
export function mergeApplied(node: SchemaNode | undefined, live: unknown, config: unknown): unknown {
  const [old, wished] = [shapeOf(node, live), shapeOf(node, config)];
  if (old.is === "members" && wished.is === "members") {
    let result: Record<string, unknown> | undefined;
    for (const name of Object.keys(wished.object)) {
      const before = Object.hasOwn(old.object, name) ? old.object[name] : undefined;
      const merged = mergeApplied(memberNode(node, name), before, wished.object[name]);
      if (merged === before) continue;
      result ??= { ...old.object };
      setMember(result, name, merged);
    }
    return result ?? live;
  }
  if (old.is === "items" && wished.is === "items") {
    const [before, now] = [byIdentity(old), byIdentity(wished)];
    if (before !== undefined && now !== undefined) return mergeItems(node?.items, before, now);
  }
  return config;
}

/** The configuration's order, with the others' items where they stood among it. */
function mergeItems(
  items: SchemaNode | undefined,
  before: ReadonlyMap<string, unknown>,
  now: ReadonlyMap<string, unknown>,
): readonly unknown[] {
  const result: unknown[] = [];
  const waiting = [...before.keys()];
  const done = new Set<string>();
  for (const [element, item] of now) {
    // Items of others that stand before this one stay before it.
    while (waiting.length > 0 && (!now.has(waiting[0] as string) || done.has(waiting[0] as string))) {
      const other = waiting.shift() as string;
      if (!now.has(other)) result.push(before.get(other));
    }
    if (waiting[0] === element) waiting.shift();
    done.add(element);
    result.push(before.has(element) ? mergeApplied(items, before.get(element), item) : item);
  }
  for (const other of waiting) if (!now.has(other)) result.push(before.get(other));
  return result;
}

/** The value without the fields `gone`, save what `owned` still has a claim on. */
export function removeFields(
  node: SchemaNode | undefined,
  value: unknown,
  gone: Fields,
  owned: Fields,
): unknown {
  const shape = shapeOf(node, value);
  if (shape.is === "members") return removeMembers(node, shape.object, gone, owned);
  const items = shape.is === "items" ? byIdentity(shape) : undefined;
  if (items === undefined) return value;
  const kept: unknown[] = [];
  for (const [element, item] of items) {
    const lost = gone[element];
    if (lost === undefined) kept.push(item);
    else if (owned[element] !== undefined || !isMember(lost)) {
      kept.push(removeFields(node?.items, item, lost, owned[element] ?? {}));
    }
  }
  return kept;
}

function removeMembers(node: SchemaNode | undefined, object: Obj, gone: Fields, owned: Fields): Obj {
  const result: Record<string, unknown> = { ...object };
  for (const element of Object.keys(gone)) {
    if (!element.startsWith("f:")) continue;
    const name = element.slice(2);
    if (!Object.hasOwn(result, name)) continue;
    const lost = gone[element] as Fields;
    const claim = owned[element];
    if (claim === undefined && isMember(lost)) {
      delete result[name];
      continue;
    }
    const rest = removeFields(memberNode(node, name), result[name], lost, claim ?? {});
    // A shell that only this manager filled goes with its content.
    if (claim === undefined && isShell(rest)) delete result[name];
    else setMember(result, name, rest);
  }
  return result;
}

function isShell(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}
