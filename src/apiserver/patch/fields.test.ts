import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { difference, type Fields, intersection, isEmpty, pathsOf, sameFields, union } from "./fields.js";

/** Sets as managedFields writes them: a dot only beside children. */
const fields: fc.Arbitrary<Fields> = fc.letrec<{ set: Fields; node: Fields }>((tie) => ({
  set: fc.dictionary(fc.constantFrom("f:a", "f:b", "f:c"), tie("node"), {
    maxKeys: 3,
  }) as fc.Arbitrary<Fields>,
  node: fc.oneof(
    { maxDepth: 3 },
    fc.constant({}),
    fc
      .tuple(fc.boolean(), tie("set"))
      .map(([member, set]) => (member && !isEmpty(set) ? { ".": {}, ...set } : set)),
  ),
})).set;

const paths = (set: Fields | undefined) => new Set(set === undefined ? [] : pathsOf(set));

describe("sets of fields", () => {
  it("are sets of paths", () => {
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        const [left, right] = [paths(a), paths(b)];
        expect(paths(union(a, b))).toEqual(new Set([...left, ...right]));
        expect(paths(difference(a, b))).toEqual(new Set([...left].filter((path) => !right.has(path))));
        expect(paths(intersection(a, b))).toEqual(new Set([...left].filter((path) => right.has(path))));
        expect(isEmpty(difference(a, a))).toBe(true);
        expect(sameFields(union(a, a), a)).toBe(true);
      }),
    );
  });

  it("come back as they were when nothing changes", () => {
    fc.assert(
      fc.property(fields, (a) => {
        expect(union(a, {})).toBe(a);
        expect(difference(a, {})).toBe(a);
        expect(union(a, a)).toBe(a);
      }),
    );
  });

  it("print as upstream prints them", () => {
    const set: Fields = {
      "f:spec": {
        "f:size": {},
        "f:items": { 'k:{"name":"a"}': { ".": {}, "f:val": {} } },
        "f:tags": { 'v:"t1"': {} },
        "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': {} },
      },
    };
    expect(pathsOf(set)).toEqual([
      ".spec.size",
      '.spec.items[name="a"]',
      '.spec.items[name="a"].val',
      '.spec.ports[containerPort=80,protocol="TCP"]',
      '.spec.tags[="t1"]',
    ]);
  });
});
