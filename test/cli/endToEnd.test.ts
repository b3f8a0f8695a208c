// The built command line on real homes: an instance started, used, killed and stopped as a user would.
import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runtimes } from "../../src/adapters/runtimes/index.js";
import type { Instance } from "../../src/cli/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "bin/drydock");
const installed = process.env["DRYDOCK_TEST_RUNTIMES"] ?? join(root, ".drydock/test-home");
const anyPorts = ["--api-port", "0", "--gateway-port", "0"];
const model = "file:///drydock/examples/models/onnx-iris";

let folder: string;
let home: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drydock-cli-"));
  await runtimes({ home: installed }).ensure("onnx");
  home = await makeHome("home");
}, 300_000);

afterAll(async () => {
  await drydock("down");
  await rm(folder, { recursive: true, force: true });
});

async function makeHome(name: string): Promise<string> {
  const made = join(folder, name);
  await mkdir(made, { mode: 0o700 });
  await symlink(join(installed, "runtimes"), join(made, "runtimes"));
  return made;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function drydock(...words: readonly string[]): Promise<Ran> {
  return drydockIn(home, ...words);
}

async function drydockIn(where: string, ...words: readonly string[]): Promise<Ran> {
  const env = { ...process.env, DRYDOCK_HOME: where, TMPDIR: join(folder, "tmp") };
  await mkdir(env.TMPDIR, { recursive: true });
  const ran = await promisify(execFile)(process.execPath, [bin, ...words], { env, cwd: root }).then(
    (done) => ({ code: 0, ...done }),
    (failed: { code: number; stdout: string; stderr: string }) => failed,
  );
  return { code: ran.code, out: ran.stdout, err: ran.stderr };
}

async function recorded(): Promise<Instance> {
  return JSON.parse(await readFile(join(home, "instance.json"), "utf8")) as Instance;
}

/** A process whose parent has not asked yet how it ended is gone all the same. */
async function isThere(pid: number | undefined): Promise<boolean> {
  const shown = await promisify(execFile)("ps", ["-o", "stat=", "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return shown.stdout.trim() !== "" && !shown.stdout.startsWith("Z");
}

describe.sequential("an instance of its own", () => {
  test("up --detach returns when it serves, and says where", async () => {
    const { code, out } = await drydock("up", "--detach", ...anyPorts);
    expect(code).toBe(0);
    expect(out).toMatch(/is running \(pid \d+\)/);
    const { api, gateway } = await recorded();
    expect(out).toContain(api.url);
    expect(out).toContain(gateway.url);
  }, 60_000);

  test("what it keeps is for its owner only", async () => {
    for (const file of ["instance.json", "kubeconfig", "pki/admin.key"]) {
      expect((await stat(join(home, file))).mode & 0o077).toBe(0);
    }
  });

  test("status tells it to people and to programs", async () => {
    const { code, out } = await drydock("status", "-o", "json");
    const { pid, api, gateway } = await recorded();
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      api: { url: api.url },
      gateway: { url: gateway.url, localUrl: gateway.localUrl },
      kubeconfig: join(home, "kubeconfig"),
      dataDir: home,
      pid,
      health: "ok",
    });
    expect((await drydock("status")).out).toContain("healthy");
  });

  test("up again changes nothing", async () => {
    const { pid } = await recorded();
    const { code, out } = await drydock("up");
    expect([code, out.split("\n")[0]]).toEqual([0, `Drydock 0.1.0 is already running (pid ${pid}).`]);
  });

  test("a model is deployed, called, looked at and deleted", async () => {
    const deployed = await drydock("deploy", "onnx-iris", "--model", model, "--wait", "--timeout", "60s");
    expect(deployed).toMatchObject({ code: 0 });
    expect(deployed.out).toMatch(
      /created\nonnx-iris is ready at http:\/\/onnx-iris\.default\.localhost:\d+\n$/,
    );
    expect((await drydock("apply", "-f", "examples/onnx-iris.yaml")).out).toContain("onnx-iris unchanged");

    const table = (await drydock("get", "isvc")).out.split("\n");
    expect(table[0]).toMatch(
      /^NAME {8}URL +READY +PREV +LATEST +PREVROLLEDOUTREVISION +LATESTREADYREVISION +AGE +REASON$/,
    );
    expect(table[1]).toMatch(/^onnx-iris +http:\S+ +True +100 +onnx-iris-predictor-00001 +\d+s *$/);

    const predicted = await drydock("predict", "onnx-iris", "-d", "@examples/iris-input.json");
    expect([predicted.code, JSON.parse(predicted.out)]).toEqual([0, { predictions: [1, 1, 0] }]);
    expect(predicted.err).toMatch(/ms in all: gateway [\d.]+ ms, pod [\d.]+ ms\n$/);
    const refused = await drydock("predict", "onnx-iris", "-d", "{}");
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^HTTP 4\d\d from the model server: /);

    const fetched = await drydock("logs", "isvc/onnx-iris", "-c", "storage-initializer");
    expect(fetched.out).toContain("Successfully copied file:///drydock/examples/models/onnx-iris");
    const described = (await drydock("describe", "isvc", "onnx-iris")).out;
    expect(described).toContain("Transition Status:  UpToDate");
    expect(described).toMatch(
      /answer: last byte, from arrival, holding included +300s +Revision onnx-iris-predictor-00001 timeoutSeconds/,
    );

    const deleted = await drydock("delete", "isvc", "onnx-iris");
    expect(deleted.out).toBe('inferenceservice.serving.kserve.io "onnx-iris" deleted\n');
    expect((await drydock("get", "isvc,ksvc,deploy")).err).toBe("No resources found in default namespace.\n");
  }, 120_000);

  test("a model that cannot be fetched ends the wait with the cause", async () => {
    const uri = "file:///drydock/examples/models/no-such-model";
    const { code, err } = await drydock("deploy", "bad", "--model", uri, "--format", "onnx", "--wait");
    expect(code).toBe(1);
    expect(err).toMatch(/error: bad is not ready: .*no-such-model does not exist/);
    expect((await drydock("logs", "isvc/bad")).out).toContain("no-such-model does not exist");
    expect((await drydock("delete", "isvc/bad")).code).toBe(0);
  }, 60_000);

  test("killed outright, it comes back where it was, with what it knew", async () => {
    await drydock("deploy", "onnx-iris", "--model", model, "--wait");
    const before = await recorded();
    process.kill(before.pid, "SIGKILL");
    expect((await drydock("status")).code).toBe(1);
    const port = new URL(before.gateway.url).port;
    const again = await drydock("up", "--detach", "--api-port", "0", "--gateway-port", port);
    expect(again).toMatchObject({ code: 0 });
    expect((await recorded()).gateway.url).toBe(before.gateway.url);
    expect((await drydock("deploy", "onnx-iris", "--model", model, "--wait")).out).toContain("is ready at");
    expect((await drydock("predict", "onnx-iris", "-d", "@examples/iris-input.json")).code).toBe(0);
  }, 120_000);

  test("down ends all of it, and once more is no failure", async () => {
    const { pid, gateway } = await recorded();
    const first = await drydock("down");
    expect([first.code, first.out]).toEqual([0, "Drydock is stopped.\n"]);
    expect(first.err).toMatch(/^Stopping: server \(pid \d+\), gateway \(pid \d+\), 1 container\. /);
    expect(await Promise.all([pid, gateway.pid].map(isThere))).toEqual([false, false]);
    expect(await readdir(join(home, "run"))).toEqual([]);
    const second = await drydock("down");
    expect([second.code, second.out]).toEqual([0, `Drydock is not running in ${home}.\n`]);
  }, 60_000);
});

test("up in the foreground serves until a signal, then drains and ends well", async () => {
  const where = await makeHome("foreground");
  const env = { ...process.env, DRYDOCK_HOME: where };
  const child = spawn(process.execPath, [bin, "up", ...anyPorts], { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (out.includes("Ctrl-C stops it.")) resolve();
    });
    child.on("exit", () => resolve());
  });
  expect(out).toMatch(/Gateway {5}http:\/\/127\.0\.0\.1:\d+/);
  child.kill("SIGINT");
  const code = await new Promise((resolve) => child.on("exit", resolve));
  expect(err).toContain("Stopping: requests under way are finished first.");
  expect(code).toBe(0);
}, 60_000);

test("a port that was asked for and is taken is said in words", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as { readonly port: number };
  const where = await makeHome("taken");
  const { code, err } = await drydockIn(where, "up", "--detach", "--api-port", String(port));
  taken.close();
  expect(code).toBe(1);
  expect(err.trim().split("\n").at(-1)).toBe(
    `error: port ${port} on 127.0.0.1 is already in use. Choose another with --api-port, or 0 for a free one.`,
  );
}, 60_000);

test("the demo predicts, shows an honest failure, and leaves nothing behind", async () => {
  const where = await makeHome("demo");
  const { code, out } = await drydockIn(where, "demo");
  expect(code).toBe(0);
  expect(out).toMatch(/ True {2}Ready\n/);
  expect(out).toContain("[5.1, 3.5, 1.4, 0.2]  ->  0  setosa");
  expect(out).toMatch(/False {2}Ready {2}.*no-such-model does not exist/);
  expect(await readdir(join(folder, "tmp"))).toEqual([]);
  expect(await readdir(where)).toEqual(["runtimes"]);
}, 120_000);
