import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { loadKubeconfig } from "./index.js";

const folder = mkdtempSync(join(tmpdir(), "drydock-kubeconfig-"));
afterAll(() => rmSync(folder, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString("base64");

function file(name: string, user: string): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    `
apiVersion: v1
kind: Config
current-context: here
clusters:
- name: c
  cluster: {server: "https://example:6443", certificate-authority-data: ${base64("the CA")}}
contexts:
- name: here
  context: {cluster: c, user: u, namespace: mine}
- name: elsewhere
  context: {cluster: gone, user: u}
users:
- name: u
  user: ${user}
`,
  );
  return path;
}

const now = { nowMs: () => 1_000_000 };

it("finds the cluster, the credential and the namespace", async () => {
  writeFileSync(join(folder, "me.crt"), "my certificate");
  const path = file("cert", `{client-certificate: me.crt, client-key-data: ${base64("my key")}}`);
  expect(await loadKubeconfig(path, now)).toMatchObject({
    context: "here",
    namespace: "mine",
    client: { server: "https://example:6443", ca: "the CA", cert: "my certificate", key: "my key" },
  });
});

it("reads a token from its file each time", async () => {
  writeFileSync(join(folder, "token"), "first\n");
  const { client } = await loadKubeconfig(file("file", "{tokenFile: token}"), now);
  expect(await client.credential?.()).toEqual({ token: "first" });
  writeFileSync(join(folder, "token"), "second\n");
  expect(await client.credential?.()).toEqual({ token: "second" });
});

it("asks a plugin, and keeps its answer until it ends", async () => {
  const script = `
    const fs = require("node:fs");
    const count = fs.existsSync(process.env.COUNT) ? Number(fs.readFileSync(process.env.COUNT)) + 1 : 1;
    fs.writeFileSync(process.env.COUNT, String(count));
    console.log(JSON.stringify({ status: { token: "t" + count, expirationTimestamp: new Date(1_060_000).toISOString() } }));`;
  const user = JSON.stringify({
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command: process.execPath,
      args: ["-e", script],
      env: [{ name: "COUNT", value: join(folder, "count") }],
    },
  });
  let nowMs = 1_000_000;
  const { client } = await loadKubeconfig(file("exec", user), { nowMs: () => nowMs });
  expect(await client.credential?.()).toEqual({ token: "t1" });
  expect(await client.credential?.()).toEqual({ token: "t1" });
  nowMs = 1_040_000;
  expect(await client.credential?.()).toEqual({ token: "t2" });
});

it("says what is missing", async () => {
  const path = file("missing", "{}");
  await expect(loadKubeconfig(path, { ...now, context: "nowhere" })).rejects.toThrow(
    'has no context "nowhere"',
  );
  await expect(loadKubeconfig(path, { ...now, context: "elsewhere" })).rejects.toThrow(
    'has no cluster "gone"',
  );
  await expect(loadKubeconfig(join(folder, "none"), now)).rejects.toMatchObject({ reason: "NotFound" });
});
