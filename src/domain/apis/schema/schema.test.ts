import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  any,
  applyDefaults,
  at,
  bool,
  int32,
  intOrString,
  keyed,
  list,
  map,
  obj,
  prune,
  type SchemaNode,
  schemaCompiler,
  str,
  validateSchema,
  withoutDefaults,
  withoutWire,
} from "./index.js";

const widget: SchemaNode = obj({
  spec: obj(
    {
      size: int32({ maximum: 100, minimum: 1 }),
      color: { type: "string", enum: ["red", "green"], default: "red" },
      name: str({ maxLength: 5, pattern: "^[a-z]+$" }),
      note: str({ nullable: true, default: "none" }),
      ios: intOrString(),
      m: map(int32()),
      tags: list(str(), { "x-kubernetes-list-type": "set", maxItems: 3 }),
      items: keyed(obj({ name: str(), val: int32(), on: bool({ default: true }) }, { required: ["name"] }), [
        "name",
      ]),
      deep: obj({ inner: str({ default: "x" }) }, { default: {} }),
      shy: obj({ inner: str({ default: "x" }) }),
      free: any(),
      when: str({ format: "date-time" }),
    },
    { required: ["size"] },
  ),
});

const at0 = (spec: unknown) => ({ spec });

describe("prune", () => {
  it.each([
    [
      "unknown fields go, with their paths",
      { size: 1, bogus: 2, items: [{ name: "a", q: 1 }] },
      { size: 1, items: [{ name: "a" }] },
      ["spec.bogus", "spec.items[0].q"],
    ],
    ["null goes where it is not allowed", { size: null, note: null }, { note: null }, []],
    ["what is preserved is not looked into", { free: { a: { b: null } } }, { free: { a: { b: null } } }, []],
    ["maps keep any key", { m: { k: 1 } }, { m: { k: 1 } }, []],
  ])("%s", (_name, given, want, unknown) => {
    expect(prune(widget, at0(given))).toEqual({ value: at0(want), unknown });
  });

  it("hands back the same object when nothing is unknown", () => {
    const value = at0({ size: 1, items: [{ name: "a" }] });
    expect(prune(widget, value).value).toBe(value);
  });

  it("does not look again at what passed", () => {
    const [old, fresh] = [at0({ bogus: 2 }), at0({ bogus: 2 })];
    expect(prune(widget, { ...old, free: 1 }, old).unknown).toEqual(["free"]);
    expect(prune(widget, { ...fresh }, old).unknown).toEqual(["spec.bogus"]);
  });

  it("keeps what makes an embedded resource one", () => {
    const schema: SchemaNode = obj({ r: { type: "object", "x-kubernetes-embedded-resource": true } });
    const value = { r: { apiVersion: "v1", kind: "K", metadata: { name: "n" }, spec: {} } };
    expect(prune(schema, value).unknown).toEqual(["r.spec"]);
  });

  it("is done after once", () => {
    fc.assert(
      fc.property(
        fc.object({ key: fc.constantFrom("spec", "size", "m", "items", "free", "zz", "__proto__") }),
        (value) => {
          const once = prune(widget, value).value;
          const twice = prune(widget, once);
          expect(twice.value).toBe(once);
          expect(twice.unknown).toEqual([]);
        },
      ),
    );
  });
});

describe("applyDefaults", () => {
  it.each([
    [
      "members of what exists are filled in",
      { size: 1 },
      { size: 1, color: "red", note: "none", deep: { inner: "x" } },
    ],
    [
      "a parent without a default of its own stays away",
      { color: "green", note: "", deep: {} },
      { color: "green", note: "", deep: { inner: "x" } },
    ],
    [
      "items of lists are filled in",
      { color: "red", note: "", deep: { inner: "" }, items: [{ name: "a" }] },
      { color: "red", note: "", deep: { inner: "" }, items: [{ name: "a", on: true }] },
    ],
    [
      "null is a value where it is allowed",
      { note: null, color: "red", deep: { inner: "" } },
      { note: null, color: "red", deep: { inner: "" } },
    ],
  ])("%s", (_name, given, want) => {
    expect(applyDefaults(widget, at0(given), schemaCompiler())).toEqual(at0(want));
  });

  it("is done after once, and then hands back the same object", () => {
    fc.assert(
      fc.property(fc.object({ key: fc.constantFrom("spec", "size", "deep", "shy", "items") }), (value) => {
        const once = applyDefaults(widget, value);
        expect(applyDefaults(widget, once)).toBe(once);
      }),
    );
  });

  it("gives each object its own copy of a default", () => {
    const one = applyDefaults(widget, { spec: {} }) as { spec: { deep: unknown } };
    const other = applyDefaults(widget, { spec: {} }) as { spec: { deep: unknown } };
    expect(one.spec.deep).not.toBe(other.spec.deep);
  });
});

describe("validateSchema", () => {
  const said = (spec: unknown, schema = widget, old?: unknown) =>
    validateSchema(schema, at0(spec), old === undefined ? {} : { old: at0(old) }).map(
      (error) => `${error.field}: ${error.message}`,
    );

  it.each<[string, unknown, string[]]>([
    [
      "type",
      { size: 1, m: { k: "x" } },
      ['spec.m.k: Invalid value: "string": spec.m.k in body must be of type integer: "string"'],
    ],
    [
      "a fraction is no integer",
      { size: 1.5 },
      ['spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"'],
    ],
    [
      "maximum",
      { size: 101 },
      ["spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100"],
    ],
    [
      "minimum",
      { size: 0 },
      ["spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"],
    ],
    [
      "enum",
      { size: 1, color: "blue" },
      ['spec.color: Unsupported value: "blue": supported values: "red", "green"'],
    ],
    [
      "pattern",
      { size: 1, name: "A" },
      [`spec.name: Invalid value: "A": spec.name in body should match '^[a-z]+$'`],
    ],
    [
      "too long hides pattern",
      { size: 1, name: "ABCDEF" },
      ["spec.name: Too long: may not be more than 5 bytes"],
    ],
    [
      "too many",
      { size: 1, tags: ["a", "b", "c", "d"] },
      ["spec.tags: Too many: 4: must have at most 3 items"],
    ],
    ["required", {}, ["spec.size: Required value"]],
    [
      "int-or-string",
      { size: 1, ios: true },
      ['spec.ios: Invalid value: "boolean": spec.ios in body must be of type integer,string: "boolean"'],
    ],
    ["set", { size: 1, tags: ["a", "a"] }, ['spec.tags[1]: Duplicate value: "a"']],
    [
      "map list",
      { size: 1, items: [{ name: "a" }, { name: "a" }] },
      ['spec.items[1]: Duplicate value: map[string]interface {}{"name":"a"}'],
    ],
    [
      "format",
      { size: 1, when: "soon" },
      ['spec.when: Invalid value: "soon": spec.when in body must be of type date-time: "soon"'],
    ],
    ["all well", { size: 1, ios: "5", note: null, when: "2026-01-02T03:04:05Z" }, []],
  ])("%s", (_name, spec, want) => {
    expect(said(spec)).toEqual(want);
  });

  it("loses the place of combinations, as upstream does", () => {
    const schema = obj({
      spec: { type: "object", oneOf: [{ required: ["a"] }, { required: ["b"] }] } as SchemaNode,
    });
    expect(said({ a: 1, b: 1 }, schema)).toEqual([
      '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ]);
    expect(said({}, schema)).toHaveLength(2);
  });

  describe("rules", () => {
    const ruled = obj({
      spec: obj(
        {
          size: int32(),
          max: int32(),
          fixed: str({ "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "is immutable" }] }),
          "with-dash": int32(),
          list: keyed(
            obj({ name: str(), n: int32({ "x-kubernetes-validations": [{ rule: "self >= oldSelf" }] }) }),
            ["name"],
          ),
        },
        {
          "x-kubernetes-validations": [
            { rule: "!has(self.max) || self.size <= self.max", message: "size must not exceed max" },
            {
              rule: "!has(self.with__dash__dash) || self.with__dash__dash > 0",
              fieldPath: ".with-dash",
              reason: "FieldValueForbidden",
              messageExpression: "'no ' + string(self.with__dash__dash)",
            },
          ],
        },
      ),
    });

    it.each<[string, unknown, unknown, string[]]>([
      [
        "a failing rule points at its node",
        { size: 2, max: 1 },
        undefined,
        ['spec: Invalid value: "object": size must not exceed max'],
      ],
      ["a holding rule is silent", { size: 1, max: 1 }, undefined, []],
      ["a rule about change rests on create", { size: 1, fixed: "a" }, undefined, []],
      [
        "a rule about change runs on update",
        { size: 1, fixed: "a" },
        { size: 1, fixed: "b" },
        ['spec.fixed: Invalid value: "string": is immutable'],
      ],
      ["and only where there was a value", { size: 1, fixed: "a" }, { size: 1 }, []],
      [
        "items of map lists keep their identity",
        {
          list: [
            { name: "b", n: 0 },
            { name: "a", n: 1 },
          ],
        },
        {
          list: [
            { name: "a", n: 2 },
            { name: "b", n: 0 },
          ],
        },
        ['spec.list[1].n: Invalid value: "integer": failed rule: self >= oldSelf'],
      ],
      [
        "fieldPath, reason and messageExpression",
        { size: 1, "with-dash": -1 },
        undefined,
        ["spec.with-dash: Forbidden: no -1"],
      ],
      [
        "an error while running says so",
        { max: 1 },
        undefined,
        ['spec: Invalid value: "object": no such key: size evaluating rule: size must not exceed max'],
      ],
    ])("%s", (_name, spec, old, want) => {
      expect(said(spec, ruled, old)).toEqual(want);
    });

    it("are not run on what the schema already refuses", () => {
      expect(said({ size: "x", max: 1 }, ruled).at(-1)).toBe(
        '<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
      );
    });
  });

  it("compiles each rule and pattern once", () => {
    const compiler = schemaCompiler();
    expect(compiler.pattern("^a$")).toBe(compiler.pattern("^a$"));
  });

  it("is not stopped by a pattern that explodes", () => {
    const schema = obj({ spec: obj({ s: str({ pattern: "^(a+)+$" }) }) });
    const started = performance.now();
    said({ s: "a".repeat(60) + "!" }, schema);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe("transforms", () => {
  it("take out defaults and wire numbers everywhere, properties of that name stay", () => {
    const schema = obj({
      default: at(1, str({ default: "x" })),
      l: list(obj({ a: at(2, str({ default: "y" })) })),
    });
    expect(withoutWire(withoutDefaults(schema))).toEqual(obj({ default: str(), l: list(obj({ a: str() })) }));
  });
});
