// Clients that nobody here wrote, unmodified: the official Python client, the KServe SDK, client-go with an informer.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Drydock, start } from "../../src/index.js";
import { describeWith } from "../needs.js";
import { runtimesHome } from "../runtimes.js";
import { root } from "../sources.js";

const run = promisify(execFile);
const python = process.env["DRYDOCK_TEST_PYTHON"] ?? "python3";
const model = `file://${root}/examples/models/onnx-iris`;
const withinMs = 170_000;

let drydock: Drydock;
let folder: string;
let kubeconfig: string;

beforeAll(async () => {
  drydock = await start({ runtimesHome });
  folder = mkdtempSync(join(tmpdir(), "drydock-clients-"));
  kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, drydock.kubeconfig, { mode: 0o600 });
});

afterAll(async () => {
  await drydock?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describeWith([python, "-c", "import kubernetes"], "the official Python client", () => {
  it("creates, watches and deletes an InferenceService", { timeout: withinMs }, async () => {
    const { stdout } = await run(
      python,
      [join(root, "test/clients/kubernetes_client.py"), kubeconfig, model],
      { timeout: withinMs },
    );
    expect(stdout).toMatch(/^ready http:\/\/python-iris\.default\.localhost:\d+\ngone\n$/);
  });
});

describeWith([python, "-c", "import kserve"], "the KServe SDK", () => {
  it("creates an InferenceService, waits for it, deletes it", { timeout: withinMs }, async () => {
    const { stdout } = await run(python, [join(root, "test/clients/kserve_client.py"), kubeconfig, model], {
      timeout: withinMs,
    });
    expect(stdout).toContain("ready http://sdk-iris.default.localhost");
    expect(stdout).toContain("gone");
  });
});

describeWith(["go", "version"], "client-go", () => {
  it("hears of an InferenceService through an informer, and writes protobuf", {
    timeout: 600_000,
  }, async () => {
    const cwd = join(root, "test/clients/go");
    const program = join(folder, "client");
    await run("go", ["build", "-o", program, "."], { cwd, timeout: 500_000 });
    const { stdout } = await run(program, [kubeconfig, model], { timeout: withinMs });
    expect(stdout).toMatch(/^ready http:\/\/go-iris\.go-client\.localhost:\d+\ngone\n$/);
  });
});
