import { describe, expect, it } from "vitest";
import { pathRewriter } from "./rewrite.js";

const mount = (containerPath: string, hostPath: string) => ({ containerPath, hostPath, readOnly: true });
const rewrite = pathRewriter([
  mount("/mnt/models", "/real/m"),
  mount("/mnt", "/real/all"),
  mount("/etc/x.d/", "/real/x"),
]);

describe("mount paths in arguments", () => {
  it.each([
    ["/mnt/models", "/real/m"],
    ["/mnt/models/", "/real/m/"],
    ["/mnt/models/x/model.onnx", "/real/m/x/model.onnx"],
    ["--model_dir=/mnt/models", "--model_dir=/real/m"],
    ["/mnt/other", "/real/all/other"],
    ["/mnt/modelsX", "/real/all/modelsX"],
    ["/mnt/models:/usr/bin", "/real/m:/usr/bin"],
    ["file:///mnt/models/a", "file:///real/m/a"],
    ['{"dir": "/mnt/models"}', '{"dir": "/real/m"}'],
    ["cat /mnt/models/a > /mnt/b", "cat /real/m/a > /real/all/b"],
    ["/etc/x.d/key", "/real/x/key"],
    ["/etc/xad/key", "/etc/xad/key"],
    ["s3://mnt/models", "s3://mnt/models"],
    ["http://host/mnt/models", "http://host/mnt/models"],
    ["/opt/mnt/models", "/opt/mnt/models"],
  ])("%s becomes %s", (before, after) => {
    expect(rewrite(before)).toBe(after);
  });

  it("says nothing of what was put in", () => {
    const chain = pathRewriter([mount("/a", "/b"), mount("/b", "/a")]);
    expect(chain("/a /b")).toBe("/b /a");
  });
});
