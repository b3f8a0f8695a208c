import { mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Pod } from "../../domain/apis/core/pod.types.js";
import { fieldValue, resourceValue } from "./downward.js";
import { expand } from "./expand.js";
import { resolveSubPath, writeFiles } from "./volumeFiles.js";

describe("$(NAME)", () => {
  it.each([
    ["$(A)", "1"],
    ["x$(A)y$(B)", "x1y2"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$1"],
    ["$(NONE)", "$(NONE)"],
    ["$A $( A) $(", "$A $( A) $("],
    ["$(toString)", "$(toString)"],
  ])("%s becomes %s", (text, expected) => {
    expect(expand(text, { A: "1", B: "2" })).toBe(expected);
  });
});

describe("what a pod knows of itself", () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "p",
      namespace: "n",
      uid: "u",
      labels: { b: '2"', a: "1" },
      annotations: { "x/y": "z" },
    },
    spec: { containers: [], serviceAccountName: "sa" },
  } as Pod;
  it.each([
    ["metadata.name", "p"],
    ["metadata.namespace", "n"],
    ["metadata.uid", "u"],
    ["metadata.labels", 'a="1"\nb="2\\""'],
    ["metadata.annotations['x/y']", "z"],
    ["metadata.labels['none']", ""],
    ["spec.nodeName", "node"],
    ["spec.serviceAccountName", "sa"],
    ["status.podIP", "127.0.0.1"],
    ["spec.containers", undefined],
  ])("%s", (path, expected) => {
    expect(fieldValue(pod, path, "node")).toBe(expected);
  });

  const node = { name: "node", cpus: 4, memoryBytes: 8 * 2 ** 30 };
  it.each([
    ["limits.cpu", undefined, "2"],
    ["limits.cpu", "1m", "1500"],
    ["limits.memory", "1Mi", "8192"],
    ["requests.memory", "1Ki", "1"],
    ["requests.cpu", undefined, "0"],
    ["limits.gpu", undefined, undefined],
  ])("%s in %s", (resource, divisor, expected) => {
    const container = {
      name: "c",
      image: "i",
      resources: { limits: { cpu: "1500m" }, requests: { memory: "1k" } },
    };
    expect(resourceValue(container, resource, divisor, node)).toBe(expected);
  });
});

describe("paths inside a volume", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "volume-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("are written with their modes, over what a container put there", async () => {
    const outside = join(folder, "outside");
    await symlink(outside, join(folder, "key"));
    await writeFiles(folder, [
      { path: "key", content: Buffer.from("new"), mode: 0o400 },
      { path: "a/b/c", content: Buffer.from("deep"), mode: 0o666 },
    ]);
    expect(await readFile(join(folder, "key"), "utf8")).toBe("new");
    expect((await stat(join(folder, "key"))).mode & 0o777).toBe(0o400);
    expect((await stat(join(folder, "a/b/c"))).mode & 0o777).toBe(0o666);
    await expect(stat(outside)).rejects.toThrow("ENOENT");
  });

  it.each(["../x", "/etc/passwd", "a/../../x"])("cannot be %s", async (path) => {
    await expect(writeFiles(folder, [{ path, content: Buffer.of(), mode: 0o600 }])).rejects.toThrow(
      "leads out",
    );
    expect(await resolveSubPath(folder, path)).toHaveProperty("problem");
  });

  it("cannot follow a link out, not even to make a directory there", async () => {
    await symlink(tmpdir(), join(folder, "link"));
    expect(await resolveSubPath(folder, "link")).toHaveProperty("problem");
    const name = `never-made-${process.pid}`;
    expect(await resolveSubPath(folder, `link/${name}`)).toHaveProperty("problem");
    await expect(stat(join(tmpdir(), name))).rejects.toThrow("ENOENT");
  });

  it("are made when they are not there", async () => {
    expect(await resolveSubPath(folder, "a/b")).toMatch(/\/a\/b$/);
  });
});
