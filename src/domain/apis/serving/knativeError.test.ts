import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  asWarnings,
  disallowed,
  fault,
  invalidKey,
  invalidValue,
  type KnativeErrors,
  keyPart,
  lines,
  missing,
  missingOneOf,
  multipleOneOf,
  outOfBounds,
  under,
  webhookAnswer,
} from "./knativeError.js";

describe("the text of errors", () => {
  it.each<[string, KnativeErrors, string]>([
    ["missing", missing("a", "b"), "missing field(s): a, b"],
    ["disallowed", disallowed("a"), "must not set the field(s): a"],
    ["an invalid value", invalidValue(5, "a"), "invalid value: 5: a"],
    ["an invalid key with a detail", invalidKey("k", "a", "why"), 'invalid key name "k": a\nwhy'],
    ["none of several", missingOneOf("a", "b"), "expected exactly one, got neither: a, b"],
    ["too many of several", multipleOneOf("b", "a"), "expected exactly one, got both: a, b"],
    ["out of bounds", outOfBounds(7, 0, 5, "a"), "expected 0 <= 7 <= 5: a"],
    ["no path leaves a space", under("spec", fault("it is off")), "it is off: "],
  ])("%s", (_name, errors, text) => {
    expect(lines(errors).join("\n")).toBe(text);
  });

  it("merges what is the same, sorts paths, and sorts lines by message and detail", () => {
    const errors = [
      ...missing("z"),
      ...fault("b", ["x"], "2"),
      ...fault("b", ["x"], "1"),
      ...missing("a", "z"),
    ];
    expect(lines(errors)).toEqual(["b: x\n1", "b: x\n2", "missing field(s): a, z"]);
  });
});

describe("paths", () => {
  it.each<[string, KnativeErrors, string]>([
    ["fields are joined by dots", under("spec", under("template", missing("name"))), "spec.template.name"],
    ["indexes attach", under("spec", under(["containers", 0], missing("image"))), "spec.containers[0].image"],
    ["an index of what is above attaches too", under("a", under(1, under(2, missing("b")))), "a[1][2].b"],
    ["the field itself adds nothing", under("spec", missing("")), "spec"],
    ["a key attaches", under("map", under(keyPart("k"), missing(""))), "map[k]"],
    [
      "a key with dots is cut at them and does not",
      under("annotations", under(keyPart("a.b/c"), missing(""))),
      "annotations.[a.b/c]",
    ],
    [
      "a label's key goes on as a path",
      under("metadata.labels", missing("serving.knative.dev/service")),
      "metadata.labels.serving.knative.dev/service",
    ],
  ])("%s", (_name, errors, path) => {
    expect(errors.flatMap((error) => error.paths)).toEqual([path]);
  });

  it("never lose or add an error", () => {
    const name = fc.stringMatching(/^[a-z]{1,4}$/);
    fc.assert(
      fc.property(fc.array(name), fc.array(fc.oneof(name, fc.nat(9))), (paths, prefix) => {
        const errors = paths.flatMap((path) => missing(path));
        expect(under(prefix, errors)).toHaveLength(errors.length);
        const said = lines(under(prefix, errors)).join("");
        for (const path of paths) expect(said).toContain(path);
      }),
    );
  });
});

describe("the webhook's answer", () => {
  it("is none when nothing is wrong", () => {
    expect(webhookAnswer([])).toBeUndefined();
  });

  it("denies with all errors, and warns of the rest in one line each", () => {
    const warnings = asWarnings(fault("careful", ["b", "a"], "detail"));
    expect(webhookAnswer([...warnings, ...missing("x"), ...disallowed("y")])).toEqual({
      webhook: "validation.webhook.serving.knative.dev",
      denied: "validation failed: missing field(s): x\nmust not set the field(s): y",
      warnings: ["careful: a, b detail"],
    });
  });

  it("does not deny for warnings alone", () => {
    expect(webhookAnswer(asWarnings(missing("x")))?.denied).toBeUndefined();
  });
});
