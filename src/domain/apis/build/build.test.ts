import { describe, expect, it } from "vitest";
import { buildSpecErrors } from "./build.validation.js";

const step = { name: "one", image: "drydock/host" };

describe("a Build's spec", () => {
  it.each([
    ["steps", { steps: [step, { ...step, name: "two" }] }],
    ["a repository", { source: { git: { url: "https://e/x.git", revision: "main" } }, steps: [step] }],
    ["a download", { source: { http: { url: "https://e/x.tgz" } }, steps: [step] }],
    ["a source of its own", { source: { custom: { image: "x" } }, steps: [step] }],
    [
      "volumes",
      {
        steps: [{ ...step, volumeMounts: [{ name: "cache", mountPath: "/cache" }] }],
        volumes: [{ name: "cache", emptyDir: {} }],
        timeout: "1h30m",
      },
    ],
  ])("may have %s", (_what, spec) => {
    expect(buildSpecErrors(spec as never, "spec")).toEqual([]);
  });

  it.each([
    [{}, "spec.steps: Required value"],
    [{ template: { name: "kaniko" } }, "spec.template: Forbidden: there are no build templates here"],
    [{ steps: [{ name: "a" }] }, "spec.steps[0].image: Required value"],
    [{ steps: [step, step] }, 'spec.steps[1].name: Duplicate value: "one"'],
    [{ steps: [{ ...step, name: "No Label" }] }, "spec.steps[0].name: Invalid value"],
    [
      { source: { git: { url: "x" } }, steps: [{ ...step, name: "git-source" }] },
      'spec.steps[0].name: Duplicate value: "git-source"',
    ],
    [
      { source: { git: { url: "x" }, http: { url: "http://x" } }, steps: [step] },
      "spec.source.http: Forbidden: may not specify more than one source",
    ],
    [
      { source: { git: { url: "--upload-pack=x" } }, steps: [step] },
      'spec.source.git.url: Invalid value: "--upload-pack=x": must not begin with a dash',
    ],
    [{ source: { http: { url: "file:///etc" } }, steps: [step] }, "spec.source.http.url: Invalid value"],
    [
      { steps: [{ ...step, volumeMounts: [{ name: "x", mountPath: "/x" }] }] },
      'spec.steps[0].volumeMounts[0].name: Not found: "x"',
    ],
    [
      { steps: [{ ...step, volumeMounts: [{ name: "x", mountPath: "/workspace/" }] }] },
      "spec.steps[0].volumeMounts[0].mountPath: Forbidden",
    ],
    [{ steps: [step], volumes: [{ name: "workspace" }] }, "spec.volumes[0].name: Forbidden"],
    [{ steps: [step], timeout: "soon" }, 'spec.timeout: Invalid value: "soon": must be a duration'],
    [{ steps: [step], timeout: "25h" }, 'spec.timeout: Invalid value: "25h": must be 1s to 24h'],
  ])("%j is refused", (spec, words) => {
    const said = buildSpecErrors(spec as never, "spec").map(({ field, message }) => `${field}: ${message}`);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(words);
  });
});
