import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { atHand } from "./atHand.js";
import { initializeStorage } from "./initialize.js";
import { atHandFiles, copiedAtOnceBytes } from "./limits.js";

const onLinux = process.platform === "linux";
let root: string;
let model: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "at-hand-"));
  model = join(root, "model");
  mkdirSync(join(model, "1"), { recursive: true });
  writeFileSync(join(model, "1/model.onnx"), "weights");
});
afterEach(() => rmSync(root, { recursive: true }));

const ask = (uri: string, env: Record<string, string> = {}, isAtHand = atHand()) =>
  isAtHand([{ uri, dest: join(root, "dest"), label: "/mnt/models" }], env);

describe.runIf(onLinux)("a model that is at hand", () => {
  it("is few small files of this machine", async () => {
    expect(await ask(`file://${model}`)).toBe(true);
    expect(await ask(join(model, "1/model.onnx"))).toBe(true);
  });

  it("is found where the examples are", async () => {
    expect(await ask("file:///drydock/examples/model", { DRYDOCK_EXAMPLES: root })).toBe(true);
  });

  it.each<[string, (folder: string) => string | void]>([
    ["not there", (folder) => join(folder, "nowhere")],
    ["too large", (folder) => truncateSync(join(folder, "1/model.onnx"), copiedAtOnceBytes + 1)],
    [
      "an archive",
      (folder) => {
        writeFileSync(join(folder, "model.tar.gz"), "x");
        return join(folder, "model.tar.gz");
      },
    ],
    ["a folder with an archive", (folder) => writeFileSync(join(folder, "model.zip"), "x")],
    ["behind a link", (folder) => symlinkSync("/", join(folder, "link"))],
    ["a device", () => "/dev/zero"],
    ["a file of the kernel's, which may have no end", () => "/proc/self/status"],
    ["of a scheme nobody knows", () => "git://example.com/model"],
    ["to be asked for", () => "http://127.0.0.1:1/model"],
    ["in an image", () => "oci://registry.example/model:v1"],
  ])("is not one that is %s", async (_what, make) => {
    expect(await ask(make(model) ?? model)).toBe(false);
  });

  it("is not many files", async () => {
    for (let at = 0; at < atHandFiles; at += 1) writeFileSync(join(model, `part-${at}`), "x");
    expect(await ask(model)).toBe(false);
  });

  it("is one that was, without asking the file system for its kind again, until that is another", async () => {
    const isAtHand = atHand();
    expect(await ask(model, {}, isAtHand)).toBe(true);
    expect(await ask(model, {}, isAtHand)).toBe(true);
    rmSync(model, { recursive: true });
    expect(await ask(model, {}, isAtHand)).toBe(false);
    await new Promise((later) => setTimeout(later, 50));
    expect(await ask(model, {}, isAtHand)).toBe(false);
  });

  it("is one that was fetched before for the same Revision", async () => {
    const server = createServer((_request, response) =>
      response.writeHead(200, { "content-type": "application/octet-stream" }).end("weights"),
    ).listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
    const env = { DRYDOCK_MODEL_CACHE: join(root, "cache/uid") };
    expect(await ask(uri, env)).toBe(false);
    const { signal } = new AbortController();
    await initializeStorage([{ uri, dest: join(root, "dest"), label: "" }], { log: () => {}, env, signal });
    server.close();
    server.closeAllConnections();
    expect(await ask(uri, env)).toBe(true);
    expect(await ask(uri, { DRYDOCK_MODEL_CACHE: join(root, "cache/other") })).toBe(false);
    expect(await ask(uri)).toBe(false);
  });
});
