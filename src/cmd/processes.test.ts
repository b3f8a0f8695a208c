// The model server and the storage initializer as the kubelet sees them: exit codes, last lines, signals.

import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runtimes } from "../adapters/runtimes/index.js";
import type { Becoming } from "../ports/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const home = process.env["DRYDOCK_TEST_RUNTIMES"] ?? join(root, ".drydock/test-home");
const hasPython = spawnSync(process.env["DRYDOCK_PYTHON_BIN"] ?? "python3", ["--version"]).status === 0;

let built: string;
let runtimeEnv: Readonly<Record<string, string>> = {};
let work: string;
const running: ChildProcess[] = [];

beforeAll(() => {
  // A build of what these two programs are made of, so that a stale dist/ cannot answer for the sources.
  built = mkdtempSync(join(tmpdir(), "drydock-build-"));
  transpile("cmd/modelserver.ts");
  transpile("cmd/storage-initializer.ts");
  writeFileSync(join(built, "package.json"), '{"type":"module"}');
  for (const folder of ["node_modules", "python", "examples"])
    symlinkSync(join(root, folder), join(built, folder));
  work = join(built, "work");
  mkdirSync(work);
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(built, { recursive: true }));

/** The file, and every file of ours that it imports. */
function transpile(file: string): void {
  const target = join(built, "dist", file.replace(/\.ts$/, ".js"));
  if (existsSync(target)) return;
  const source = readFileSync(join(root, "src", file), "utf8");
  const compilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    verbatimModuleSyntax: true,
  };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, outputText);
  for (const [, imported = ""] of outputText.matchAll(/(?:from|import\() ?"(\.[^"]+)\.js"/g))
    transpile(join(dirname(file), `${imported}.ts`));
}

/** Started as what it is to be, or long before that: nobody can tell which. */
const ways = ["started for it", "that waited for it"] as const;
let way: (typeof ways)[number];

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const path = join(built, "dist/cmd", program);
  const whole = { ...process.env, ...env };
  const isSpare = way === "that waited for it";
  const child = spawn(process.execPath, [path, ...(isSpare ? args.slice(0, 1) : args)], {
    env: isSpare ? { ...runtimeEnv, PATH: process.env["PATH"], DRYDOCK_SPARE: "1", STALE: "1" } : whole,
    cwd: isSpare ? "/" : process.cwd(),
    stdio: ["ignore", "pipe", "pipe", ...(isSpare ? (["pipe"] as const) : [])],
  }) as ChildProcessByStdio<null, Readable, Readable>;
  const pipe = child.stdio[3] as Duplex | undefined;
  pipe?.on("error", () => {});
  pipe?.once("data", () => {
    const told: Becoming = {
      argv: [process.execPath, path, ...args],
      env: whole as Record<string, string>,
      cwd: process.cwd(),
    };
    // A start that is foreseen stirs it first.
    pipe.write("\n");
    pipe.write(`${JSON.stringify(told)}\n`);
  });
  running.push(child);
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.stderr += text;
  });
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    lastLine: said.stderr.trimEnd().split("\n").at(-1),
    ...said,
  }));
  return { child, said, ended };
}

async function listening(server: ReturnType<typeof start>): Promise<string> {
  for (;;) {
    const port = /Listening on port (\d+)/.exec(server.said.stdout)?.[1];
    if (port !== undefined) return `http://127.0.0.1:${port}`;
    const ended = await Promise.race([server.ended, wait(10)]);
    if (ended !== undefined) throw new Error(ended.stderr);
  }
}

describe.each(ways)("the model server process %s", (one) => {
  beforeEach(() => {
    way = one;
  });
  let onnx: Readonly<Record<string, string>>;
  let sklearn: Readonly<Record<string, string>>;
  beforeAll(async () => {
    onnx = (await runtimes({ home }).ensure("onnx")).env;
    if (hasPython) sklearn = (await runtimes({ home }).ensure("sklearn")).env;
    runtimeEnv = { ...onnx, ...sklearn };
  }, 600_000);

  const args = (dir: string, ...more: string[]) => [
    "--backend=onnx",
    "--model_name=iris",
    `--model_dir=${dir}`,
    ...more,
  ];
  const irisDir = join(root, "examples/models/onnx-iris");

  it("serves, and leaves with 0 on SIGTERM", async () => {
    const server = start("modelserver.js", args(irisDir, "--grpc_port=8081", "--workers", "1"), {
      ...onnx,
      PORT: "0",
    });
    const base = await listening(server);
    const body = readFileSync(join(root, "examples/iris-input.json"), "utf8");
    const answer = await fetch(`${base}/v1/models/iris:predict`, { method: "POST", body });
    expect([answer.status, await answer.text()]).toEqual([200, '{"predictions":[1,1,0]}']);
    server.child.kill("SIGTERM");
    const ended = await server.ended;
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: "" });
    expect(ended.stdout.split("\n")).toEqual([
      "Ignoring arguments that mean nothing here: --grpc_port --workers",
      "Registering model: iris",
      expect.stringMatching(/^Listening on port \d+$/),
      "SIGTERM received, finishing requests in flight",
      "",
    ]);
  });

  it("tells its cause last on stderr, and in the termination log", async () => {
    const dir = mkdtempSync(join(work, "models-"));
    writeFileSync(join(dir, "readme.txt"), "x");
    const log = join(dir, "../termination-log");
    const env = { ...onnx, DRYDOCK_TERMINATION_LOG: log, DRYDOCK_MODEL_DIR_LABEL: "/mnt/models", PORT: "0" };
    const { code, lastLine, stderr } = await start("modelserver.js", args(dir), env).ended;
    expect(code).toBe(1);
    expect(lastLine).toBe("No model file in /mnt/models: looked for *.onnx, found: readme.txt");
    expect(readFileSync(log, "utf8")).toBe(lastLine);
    expect(stderr).not.toContain(dir);
  });

  it("is not there before its model is", async () => {
    const dir = mkdtempSync(join(work, "models-"));
    writeFileSync(join(dir, "model.onnx"), "no model");
    const port = await freePort();
    const server = start("modelserver.js", args(dir), { ...onnx, PORT: String(port) });
    let answered = false;
    while (server.child.exitCode === null) {
      answered ||= await canConnect(port);
      await wait(5);
    }
    expect(answered).toBe(false);
    expect((await server.ended).lastLine).toMatch(/^Model file .*model\.onnx cannot be loaded: /);
  });

  it("says what is wrong with its arguments", async () => {
    const { code, stderr } = await start("modelserver.js", ["--backend=torch"]).ended;
    expect([code, stderr]).toEqual([1, "Argument --backend must be onnx or sklearn, not torch.\n"]);
  });

  describe.skipIf(!hasPython)("with a Python worker (needs python3 on PATH)", () => {
    it("has the environment and the folder it was told, and nothing of an earlier one", async () => {
      const dir = mkdtempSync(join(work, "models-"));
      const source =
        "type('Teller', (), {'predict': lambda self, X: (lambda os: [os.environ.get('STALE'), os.environ.get('ASKED'), os.getcwd()])(__import__('os'))})()";
      writeFileSync(join(dir, "model.pkl"), `cbuiltins\neval\n(V${source}\ntR.`);
      const server = start(
        "modelserver.js",
        ["--backend=sklearn", "--model_name=iris", `--model_dir=${dir}`],
        { ...sklearn, PORT: "0", ASKED: "yes" },
      );
      const base = await listening(server);
      const answer = await fetch(`${base}/v1/models/iris:predict`, {
        method: "POST",
        body: '{"instances":[[1]]}',
      });
      expect(await answer.json()).toEqual({ predictions: [null, "yes", process.cwd()] });
    });

    function deadlyModel(): string[] {
      const dir = mkdtempSync(join(work, "models-"));
      const source =
        "type('Deadly', (), {'predict': lambda self, X: __import__('os').kill(__import__('os').getpid(), 9)})()";
      writeFileSync(join(dir, "model.pkl"), `cbuiltins\neval\n(V${source}\ntR.`);
      return ["--backend=sklearn", "--model_name=iris", `--model_dir=${dir}`];
    }

    it("answers 500 when the worker is killed, then leaves with its code", async () => {
      const server = start("modelserver.js", deadlyModel(), { ...sklearn, PORT: "0" });
      const base = await listening(server);
      const answer = await fetch(`${base}/v1/models/iris:predict`, {
        method: "POST",
        body: '{"instances":[[1]]}',
      });
      const cause = "The Python worker was killed (SIGKILL), most often for using too much memory.";
      expect([answer.status, await answer.json()]).toEqual([500, { error: cause }]);
      expect(await server.ended).toMatchObject({ code: 137, lastLine: cause });
    });

    it("takes the worker along, even when it is killed itself", async () => {
      const server = start("modelserver.js", deadlyModel(), { ...sklearn, PORT: "0" });
      await listening(server);
      const worker = Number(
        readFileSync(`/proc/${server.child.pid}/task/${server.child.pid}/children`, "utf8").trim(),
      );
      expect(existsSync(`/proc/${worker}`)).toBe(true);
      server.child.kill("SIGKILL");
      await server.ended;
      const gone = () =>
        !existsSync(`/proc/${worker}`) || / Z /.test(readFileSync(`/proc/${worker}/stat`, "utf8"));
      for (let tries = 0; tries < 100 && !gone(); tries++) await wait(20);
      expect(gone()).toBe(true);
    });
  });
});

describe.each(ways)("the storage initializer process %s", (one) => {
  beforeEach(() => {
    way = one;
  });
  it("fills the folder and leaves with 0", async () => {
    const dest = mkdtempSync(join(work, "filled-"));
    const from = `file://${join(root, "examples/models/onnx-iris")}`;
    const { code, stderr, stdout } = await start("storage-initializer.js", [from, dest]).ended;
    expect([code, stdout, readdirSync(dest)]).toEqual([0, "", ["model.onnx"]]);
    expect(stderr).toMatch(
      /^\[I \d{6} \d\d:\d\d:\d\d initializer-entrypoint:13\] Initializing, args: src_uri \[file:/,
    );
  });

  it("ends with the exception's own line, in the log and the termination log", async () => {
    const log = join(work, "storage-termination-log");
    const env = { DRYDOCK_TERMINATION_LOG: log, DRYDOCK_MODEL_DIR_LABEL: "/mnt/models" };
    const { code, lastLine, stderr } = await start(
      "storage-initializer.js",
      ["gs://k@b/iris", join(work, "x")],
      env,
    ).ended;
    expect(code).toBe(1);
    expect(lastLine).toBe(
      "RuntimeError: Storage type gs:// is not available yet, it comes in a later version: gs://***@b/iris. " +
        "The current available storage types are file://, http://, https://, oci://, pvc://.",
    );
    expect(readFileSync(log, "utf8")).toBe(lastLine);
    expect(stderr).toContain("] Storage initialization failed: Storage type gs:// is not available yet");
    expect(stderr).toContain("dest_path[ [/mnt/models]");
  });

  it("explains its arguments", async () => {
    const { code, lastLine } = await start("storage-initializer.js", ["gs://x"]).ended;
    expect([code, lastLine]).toEqual([
      1,
      "Usage: initializer-entrypoint src_uri_0 dest_path_0 [src_uri_1 dest_path_1 ...]",
    ]);
  });

  it("cleans up when it is stopped", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/octet-stream" }).write("some");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const dest = join(work, "stopped");
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/m.bin`;
    const initializer = start("storage-initializer.js", [uri, dest]);
    await once(server, "request");
    initializer.child.kill("SIGTERM");
    expect((await initializer.ended).code).toBe(143);
    expect(readdirSync(dest)).toEqual([]);
    server.closeAllConnections();
    server.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
