/**
 * Sets of fields, in the very form managedFields stores them (FieldsV1): `f:name` a member, `k:{...}` an item of a
 * keyed list, `v:...` an item of a set. A node belongs to the set when it is empty or holds "." beside its children.
 * All operations hand back their first argument when they would change nothing.
 */
export type Fields = { readonly [element: string]: Fields };

export const leaf: Fields = {};
const self = ".";

export function isEmpty(fields: Fields): boolean {
  for (const _ in fields) return false;
  return true;
}

/** Whether the node itself belongs to the set, not only something beneath it. */
export function isMember(node: Fields): boolean {
  return isEmpty(node) || Object.hasOwn(node, self);
}

/** Puts a node together; undefined when neither it nor anything beneath it belongs to the set. */
function node(member: boolean, children: Record<string, Fields>): Fields | undefined {
  if (isEmpty(children)) return member ? leaf : undefined;
  return member ? { [self]: leaf, ...children } : children;
}

export function union(a: Fields, b: Fields): Fields {
  let result: Record<string, Fields> | undefined;
  for (const element of Object.keys(b)) {
    const right = b[element] as Fields;
    const left = Object.hasOwn(a, element) ? a[element] : undefined;
    const joined = left === undefined ? right : joinedNode(left, right);
    if (joined === left) continue;
    result ??= { ...a };
    result[element] = joined;
  }
  return result ?? a;
}

function joinedNode(left: Fields, right: Fields): Fields {
  // An empty node is a member: joined with children it must say so with its dot.
  if (isEmpty(right)) return isMember(left) ? left : { [self]: leaf, ...left };
  return isEmpty(left) ? { [self]: leaf, ...right } : union(left, right);
}

export function difference(a: Fields, b: Fields): Fields {
  let result: Record<string, Fields> | undefined;
  for (const element of Object.keys(b)) {
    if (!Object.hasOwn(a, element) || element === self) continue;
    const left = a[element] as Fields;
    const right = b[element] as Fields;
    const rest = node(isMember(left) && !isMember(right), {
      ...difference(withoutSelf(left), withoutSelf(right)),
    });
    if (rest !== undefined && sameFields(rest, left)) continue;
    result ??= { ...a };
    if (rest === undefined) delete result[element];
    else result[element] = rest;
  }
  return result ?? a;
}

/** undefined when the two share nothing. */
export function intersection(a: Fields, b: Fields): Fields | undefined {
  const result: Record<string, Fields> = {};
  for (const element of Object.keys(a)) {
    if (element === self || !Object.hasOwn(b, element)) continue;
    const left = a[element] as Fields;
    const right = b[element] as Fields;
    const children = intersection(left, right) ?? {};
    const shared = node(isMember(left) && isMember(right), { ...children });
    if (shared !== undefined) result[element] = shared;
  }
  return isEmpty(result) ? undefined : result;
}

function withoutSelf(fields: Fields): Fields {
  if (!Object.hasOwn(fields, self)) return fields;
  const { [self]: _, ...children } = fields;
  return children;
}

export function sameFields(a: Fields, b: Fields): boolean {
  if (a === b) return true;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameFields(a[name] as Fields, b[name] as Fields));
}

/** Every member's path as messages write it: .spec.items[name="a"].val. Of each level the members come first. */
export function pathsOf(fields: Fields, prefix = ""): readonly string[] {
  const elements = Object.keys(fields)
    .filter((element) => element !== self)
    .sort();
  const paths = elements
    .filter((element) => isMember(fields[element] as Fields))
    .map((element) => prefix + pathElement(element));
  return [
    ...paths,
    ...elements.flatMap((element) => pathsOf(fields[element] as Fields, prefix + pathElement(element))),
  ];
}

function pathElement(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case "f:":
      return `.${rest}`;
    case "k:": {
      const keys = JSON.parse(rest) as { readonly [key: string]: unknown };
      return `[${Object.keys(keys)
        .map((key) => `${key}=${JSON.stringify(keys[key])}`)
        .join(",")}]`;
    }
    case "v:":
      return `[=${rest}]`;
    default:
      return `[${rest}]`;
  }
}
