import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findModelFile } from "./modelfile.js";

describe("the model file", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "drydock-modelfile-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const find = () => findModelFile(dir, "/mnt/models", [".onnx"]);
  const put = (name: string) => writeFileSync(join(dir, name), "x");

  it("is the only one of its kind", () => {
    put("readme.txt");
    put("any name.onnx");
    expect(find()).toEqual({ path: join(dir, "any name.onnx"), label: "/mnt/models/any name.onnx" });
  });

  it("must be the only one, in upstream's words", () => {
    put("b.onnx");
    put("a.onnx");
    expect(find).toThrow(
      "More than one model file is detected, Only one is allowed within model_dir: ['/mnt/models/a.onnx', '/mnt/models/b.onnx']",
    );
  });

  it("when missing, says what is there instead", () => {
    put("readme.txt");
    mkdirSync(join(dir, "1.onnx"));
    expect(find).toThrow("No model file in /mnt/models: looked for *.onnx, found: 1.onnx/, readme.txt");
  });

  it("of an empty or absent folder is told apart", () => {
    expect(find).toThrow("No model file in /mnt/models: looked for *.onnx, found: nothing");
    expect(() => findModelFile(join(dir, "gone"), "/mnt/models", [".onnx", ".x"])).toThrow(
      "No model file in /mnt/models: looked for *.onnx, *.x, but the folder does not exist.",
    );
  });

  it("among hundreds of files is not listed at length", () => {
    for (let at = 0; at < 30; at++) put(`file-${String(at).padStart(2, "0")}.txt`);
    expect(find).toThrow(/file-09\.txt and 20 more$/);
  });
});
