import { describe, expect, it } from "vitest";
import { parsePvc, parseSource, redact } from "./uri.js";

describe("storage URIs", () => {
  it.each([
    ["/models/iris", { kind: "local", path: "/models/iris" }],
    ["models/iris", { kind: "local", path: "models/iris" }],
    ["file:///models/my iris", { kind: "local", path: "/models/my iris" }],
    ["oci://example.com/m:v1", { kind: "oci", image: "example.com/m:v1" }],
    ["oci+fetch://m", { kind: "oci", image: "m" }],
    ["pvc://claim", { kind: "pvc", claim: "claim", path: "" }],
    ["pvc://claim/a/./b//c/", { kind: "pvc", claim: "claim", path: "a/b/c" }],
  ])("reads %s", (uri, source) => {
    expect(parseSource(uri)).toEqual(source);
  });

  it.each(["gs", "s3", "hdfs", "webhdfs", "hf", "modelscope", "git"])(
    "says that %s:// comes later",
    (scheme) => {
      expect(() => parseSource(`${scheme}://bucket/path`)).toThrow(
        `Storage type ${scheme}:// is not available yet, it comes in a later version: ${scheme}://bucket/path. ` +
          "The current available storage types are file://, http://, https://, oci://, pvc://.",
      );
    },
  );

  it("knows a git repository by its ending", () => {
    expect(() => parseSource("https://me:secret@example.com/x.git")).toThrow(
      /^Storage type git:\/\/ .*: https:\/\/\*\*\*@example\.com\/x\.git\. The/,
    );
  });

  it("refuses the rest", () => {
    expect(() => parseSource("oci://Not An Image")).toThrow(
      "Invalid URI must be oci://REGISTRY/REPOSITORY[:TAG|@DIGEST]: oci://Not An Image",
    );
    expect(() => parseSource("foo://x")).toThrow("Cannot recognize storage type for foo://x.");
    expect(() => parsePvc("pvc:///path")).toThrow("Invalid URI must be pvc://<pvcname>/[path]: pvc:///path");
    expect(() => parsePvc("pvc://claim/../other")).toThrow("Invalid URI must be pvc://");
    expect(() => parseSource("https://me:secret@[bad/x")).toThrow("Invalid URI: https://***");
  });

  it.each([
    ["https://me:secret@h.example/m.tgz?sig=abc&x=1#sha256=00", "https://***@h.example/m.tgz?sig=***&x=***"],
    ["https://token@h.example/m", "https://***@h.example/m"],
    ["s3://key:secret@bucket/path", "s3://***@bucket/path"],
    ["file:///a@b/c", "file:///a@b/c"],
  ])("never shows the secrets of %s", (uri, shown) => {
    expect(redact(uri)).toBe(shown);
  });
});
