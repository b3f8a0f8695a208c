/** Models in images, pulled from a real registry. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeWith } from "../../../test/needs.js";
import { type LayerEntry, layerOf, tarOf } from "../../../test/registry/layer.js";
import {
  digestOf,
  pushImage,
  type RegistryServer,
  registryProgram,
  startRegistry,
  types,
} from "../../../test/registry/server.js";
import { initializeStorage } from "./initialize.js";
import { seedLog } from "./log.js";

let server: RegistryServer;
let root: string;
let dest: string;
let lines: string[];
let pushed = 0;

describeWith(registryProgram, "a model in an image", () => {
  beforeAll(async () => {
    server = await startRegistry();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-oci-"));
    dest = join(root, "dest");
    lines = [];
    return () => rmSync(root, { recursive: true });
  });

  it("is what its layers hold below /models, and nothing else", async () => {
    const image = await push([
      { name: "etc/passwd", body: "root" },
      { name: "models/", type: "directory" },
      { name: "models/model.onnx", body: "weights" },
      { name: "./models/config/labels.txt", body: "cat\ndog" },
      { name: "modelsmith", body: "no" },
    ]);
    await fetchModel(`oci://${image}`);
    expect(tree()).toEqual(["config", "config/labels.txt", "model.onnx"]);
    expect(readFileSync(join(dest, "model.onnx"), "utf8")).toBe("weights");
    expect(lines.join("\n")).toMatch(/Pulling 127\.0\.0\.1:\d+\/team\/model@sha256:[0-9a-f]{64}: 1 layers/);
  });

  it.each(["oci+native", "oci+fetch"])("is the same by %s", async (scheme) => {
    const image = await push([{ name: "models/m", body: "x" }]);
    await fetchModel(`${scheme}://${image}`);
    expect(tree()).toEqual(["m"]);
  });

  it("has the upper layers over the lower ones, and not what they take away", async () => {
    const image = await push(
      [
        { name: "models/a", body: "old" },
        { name: "models/gone", body: "x" },
        { name: "models/dir/one", body: "1" },
        { name: "models/dir/two", body: "2" },
        { name: "models/emptied/was", body: "x" },
        { name: "models/becomes/file", body: "x" },
      ],
      [
        { name: "models/a", body: "new" },
        { name: "models/.wh.gone" },
        { name: "models/dir/.wh.one" },
        { name: "models/emptied/.wh..wh..opq" },
        { name: "models/emptied/is", body: "y" },
        { name: "models/becomes", body: "a file" },
      ],
    );
    await fetchModel(`oci://${image}`);
    expect(tree()).toEqual(["a", "becomes", "dir", "dir/two", "emptied", "emptied/is"]);
    expect(readFileSync(join(dest, "a"), "utf8")).toBe("new");
  });

  it("may have links inside, across layers too", async () => {
    const image = await push(
      [{ name: "models/v1/model.onnx", body: "w" }],
      [
        { name: "models/latest", type: "symlink", linkname: "v1/model.onnx" },
        { name: "models/b", body: "b" },
        { name: "models/deep/twin", type: "link", linkname: "models/b" },
      ],
    );
    await fetchModel(`oci://${image}`);
    expect(readlinkSync(join(dest, "latest"))).toBe("v1/model.onnx");
    expect(readFileSync(join(dest, "latest"), "utf8")).toBe("w");
    expect(readFileSync(join(dest, "deep/twin"), "utf8")).toBe("b");
  });

  it("keeps an archive as it is", async () => {
    const image = await push([{ name: "models/m.tar", body: await tarOf({ name: "x", body: "y" }) }]);
    await fetchModel(`oci://${image}`);
    expect(tree()).toEqual(["m.tar"]);
  });

  it("is taken from a plain tar, Docker's types, and the index's image for this machine", async () => {
    const plain = await tarOf({ name: "models/p", body: "plain" });
    const digest = await pushImage(server, "team/plain", "v1", [
      { body: plain, type: "application/vnd.oci.image.layer.v1.tar" },
    ]);
    const docker = await layerOf({ name: "models/d", body: "docker" });
    const other = await pushImage(server, "team/plain", "v2", [{ body: docker, type: types.dockerLayer }]);
    const own = process.arch === "x64" ? "amd64" : process.arch;
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: types.index,
      manifests: [
        {
          digest: other,
          size: 1,
          mediaType: types.manifest,
          platform: { os: "unknown", architecture: "unknown" },
        },
        {
          digest: other,
          size: 1,
          mediaType: types.manifest,
          platform: { os: "linux", architecture: "s390x" },
        },
        { digest, size: 1, mediaType: types.manifest, platform: { os: "linux", architecture: own } },
      ],
    });
    await server.push("/v2/team/plain/manifests/both", index, types.index);
    await fetchModel(`oci://${server.host}/team/plain:both`);
    expect(tree()).toEqual(["p"]);
    await fetchModel(`oci://${server.host}/team/plain:v2`, {}, join(root, "other"));
    expect(tree(join(root, "other"))).toEqual(["d"]);
  });

  describe("with a place for layers", () => {
    const shared = () => ({ DRYDOCK_OCI: join(root, "oci") });
    const layers = () => readdirSync(join(root, "oci", "layers"));

    it("is downloaded once, and its bytes are on the disk once", async () => {
      const base: LayerEntry[] = [{ name: "models/base", body: "b".repeat(10_000) }];
      const one = await push(base, [{ name: "models/one", body: "1" }]);
      const two = await push(base, [{ name: "models/two", body: "2" }]);
      await fetchModel(`oci://${one}`, shared());
      await fetchModel(`oci://${two}`, shared(), join(root, "two"));
      expect(lines.filter((line) => line.includes("Downloading: layer"))).toHaveLength(3);
      expect(lines.filter((line) => line.includes("is here already"))).toHaveLength(1);
      expect(statSync(join(dest, "base")).ino).toBe(statSync(join(root, "two", "base")).ino);
      expect(layers()).toHaveLength(3);
    });

    it("is downloaded again when somebody wrote to what is shared", async () => {
      const image = await push([{ name: "models/m", body: "right" }]);
      await fetchModel(`oci://${image}`, shared());
      expect(() => writeOver(join(dest, "m"), "wrong")).not.toThrow();
      await fetchModel(`oci://${image}`, shared(), join(root, "again"));
      expect(readFileSync(join(root, "again", "m"), "utf8")).toBe("right");
    });

    it("keeps no more than it may, the least recently used go, and models stay whole", async () => {
      const env = { ...shared(), DRYDOCK_OCI_CACHE_BYTES: "15000" };
      const first = await push([{ name: "models/m", body: `1${"a".repeat(9_999)}` }]);
      await fetchModel(`oci://${first}`, env);
      const [only = ""] = layers();
      utimesSync(join(root, "oci", "layers", only, "layer.json"), new Date(0), new Date(0));
      const second = await push([{ name: "models/m", body: `2${"b".repeat(9_999)}` }]);
      await fetchModel(`oci://${second}`, env, join(root, "second"));
      expect(layers()).toHaveLength(1);
      expect(layers()).not.toContain(only);
      expect(readFileSync(join(dest, "m"), "utf8")).toMatch(/^1a/);
    });

    it("is what several ask for at once, whoever is first", async () => {
      const image = await push([{ name: "models/m", body: "x".repeat(200_000) }]);
      const folders = ["a", "b", "c"].map((name) => join(root, name));
      await Promise.all(folders.map((folder) => fetchModel(`oci://${image}`, shared(), folder)));
      for (const folder of folders) expect(tree(folder)).toEqual(["m"]);
      expect(layers()).toHaveLength(1);
    });
  });

  describe("is refused", () => {
    it("without /models, or with an empty one", async () => {
      const words = (image: string) =>
        `OCI image at oci://${image} has no /models/ directory, or it is empty`;
      const other = await push([{ name: "data/m", body: "x" }]);
      await expect(fetchModel(`oci://${other}`)).rejects.toThrow(words(other));
      const empty = await push([{ name: "models/", type: "directory" }]);
      await expect(fetchModel(`oci://${empty}`)).rejects.toThrow(words(empty));
      const taken = await push([{ name: "models/m", body: "x" }], [{ name: ".wh.models" }]);
      await expect(fetchModel(`oci://${taken}`)).rejects.toThrow(words(taken));
    });

    it.each<[string, LayerEntry[], RegExp]>([
      ["a path that climbs", [{ name: "models/../../evil", body: "x" }], /leads outside/],
      [
        "a link that climbs",
        [{ name: "models/m", type: "symlink", linkname: "../../../etc/passwd" }],
        /leads outside/,
      ],
      [
        "a link from the root",
        [{ name: "models/m", type: "symlink", linkname: "/etc/passwd" }],
        /leads outside/,
      ],
      [
        "a hard link to elsewhere",
        [{ name: "models/m", type: "link", linkname: "etc/passwd" }],
        /leads outside/,
      ],
      [
        "a file behind a link",
        [
          { name: "models/d", type: "symlink", linkname: "/tmp" },
          { name: "models/x", type: "symlink", linkname: "d/evil" },
        ],
        /leads outside/,
      ],
      ["a pipe", [{ name: "models/m", type: "fifo" }], /neither a file nor a folder/],
      ["models that are a file", [{ name: "models", body: "x" }], /is no folder/],
    ])("with %s", async (_what, entries, words) => {
      await expect(fetchModel(`oci://${await push(entries)}`)).rejects.toThrow(words);
      expect(tree()).toEqual([]);
      expect(existsSync(join(root, "evil"))).toBe(false);
    });

    it("when it is a bomb, in /models or beside it", async () => {
      const bomb = { body: Buffer.alloc(80 * 1024 ** 2) };
      for (const name of ["models/m", "usr/m"]) {
        await expect(fetchModel(`oci://${await push([{ name, ...bomb }])}`)).rejects.toThrow(
          "grows to more than 200",
        );
      }
    });

    it("when it is larger than it may be, before it is downloaded whole", async () => {
      const image = await push([{ name: "models/m", body: incompressible(50_000) }]);
      await expect(fetchModel(`oci://${image}`, { DRYDOCK_MAX_MODEL_BYTES: "1000" })).rejects.toThrow(
        "The model is larger than 1000 bytes",
      );
    });

    it("when a layer is no archive, zstd, or not what its digest says", async () => {
      await pushImage(server, "team/odd", "garbage", [gzipSync(Buffer.alloc(2000, 7))]);
      await expect(fetchModel(`oci://${server.host}/team/odd:garbage`)).rejects.toThrow(
        "It is no tar archive",
      );
      await pushImage(server, "team/odd", "zstd", [
        { body: Buffer.from("z"), type: "application/vnd.oci.image.layer.v1.tar+zstd" },
      ]);
      await expect(fetchModel(`oci://${server.host}/team/odd:zstd`)).rejects.toThrow("compressed with zstd");
    });

    it("in the registry's words when it is not there", async () => {
      await expect(fetchModel(`oci://${server.host}/team/model:none`)).rejects.toThrow(
        /^Failed to pull OCI image oci:\/\/127\.0\.0\.1:\d+\/team\/model:none: failed to fetch image information: unsupported status code 404; body: .*manifest unknown/,
      );
    });
  });

  it("needs the credentials that a closed registry asks for", async () => {
    const closed = await startRegistry({ users: { ann: "secret" } });
    try {
      await pushImage(closed, "team/model", "v1", [await layerOf({ name: "models/m", body: "x" })]);
      const uri = `oci://${closed.host}/team/model:v1`;
      await expect(fetchModel(uri)).rejects.toThrow("status code 401");
      const auths = { [closed.host]: { auth: Buffer.from("ann:secret").toString("base64") } };
      writeFileSync(join(root, "config.json"), JSON.stringify({ auths }));
      await fetchModel(uri, { KSERVE_OCI_DOCKER_CONFIG: join(root, "config.json") });
      expect(tree()).toEqual(["m"]);
    } finally {
      await closed.stop();
    }
  });

  it("comes from where config-registries says", async () => {
    await push([{ name: "models/m", body: "x" }]);
    const digest = await pushImage(server, "team/mirrored", "v1", [
      await layerOf({ name: "models/m", body: "x" }),
    ]);
    mkdirSync(join(root, "oci"));
    const registries = { mirrors: { "registry.example.com": [server.host] } };
    writeFileSync(join(root, "oci", "registries.json"), JSON.stringify(registries));
    await fetchModel(`oci://registry.example.com/team/mirrored@${digest}`, {
      DRYDOCK_OCI: join(root, "oci"),
    });
    expect(tree()).toEqual(["m"]);
  });
});

/** An image of these layers; gives its name. */
async function push(...layers: readonly (readonly LayerEntry[])[]): Promise<string> {
  pushed += 1;
  const tag = `v${pushed}`;
  await pushImage(server, "team/model", tag, await Promise.all(layers.map((entries) => layerOf(...entries))));
  return `${server.host}/team/model:${tag}`;
}

function fetchModel(uri: string, env: Record<string, string> = {}, folder = dest): Promise<void> {
  const log = seedLog((line) => lines.push(line), () => new Date("2020-05-17T03:56:19Z")); // biome-ignore format: one call
  const signal = new AbortController().signal;
  const home = { HOME: root, ...env };
  return initializeStorage([{ uri, dest: folder, label: "/mnt/models" }], {
    log,
    env: home,
    signal,
    backoffFactor: 0.001,
  });
}

const tree = (folder = dest): string[] =>
  existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]).sort() : [];

function writeOver(path: string, text: string): void {
  chmodSync(path, 0o644);
  writeFileSync(path, text);
}

/** Digests one after the other: nothing shrinks them. */
function incompressible(bytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; parts.length * 32 < bytes; at += 1)
    parts.push(Buffer.from(digestOf(String(at)).slice(7), "hex"));
  return Buffer.concat(parts);
}
