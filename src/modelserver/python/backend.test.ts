import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes } from "../../adapters/runtimes/index.js";
import type { Backend } from "../backend.js";
import { type ModelServer, serveModel } from "../server.js";
import { sklearnBackend } from "./backend.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const home = process.env["DRYDOCK_TEST_RUNTIMES"] ?? join(root, ".drydock/test-home");
const irisDir = join(root, "examples/models/sklearn-iris");
const hasPython = spawnSync(process.env["DRYDOCK_PYTHON_BIN"] ?? "python3", ["--version"]).status === 0;

describe.skipIf(!hasPython)("the scikit-learn backend (needs python3 on PATH)", () => {
  let python: string;
  const dirs: string[] = [];
  const opened: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    python = (await runtimes({ home }).ensure("sklearn")).env["DRYDOCK_PYTHON"]!;
  }, 600_000);
  afterAll(async () => {
    for (const one of opened) await one.close();
    for (const dir of dirs) rmSync(dir, { recursive: true });
  });

  async function open(modelDir: string, log: string[] = []) {
    const script = join(root, "python/sklearn_worker.py");
    const onLog = (line: string) => log.push(line);
    const backend = await sklearnBackend({ modelDir, modelDirLabel: "/mnt/models", python, script, onLog });
    opened.push(backend);
    return backend;
  }

  function runPython(program: string, ...args: string[]): string {
    const ran = spawnSync(python, ["-c", program, ...args], { encoding: "utf8" });
    if (ran.status !== 0) throw new Error(ran.stderr);
    return ran.stdout;
  }

  /** A model whose `predict` is one Python expression over `X`: pickle rebuilds it with eval. */
  function modelDir(predict: string, name = "model.joblib"): string {
    const dir = mkdtempSync(join(tmpdir(), "drydock-sklearn-"));
    dirs.push(dir);
    const source = `type('Odd', (), {'predict': lambda self, X: ${predict}})()`;
    // joblib reads plain pickles, and this one is made without importing joblib.
    runPython(
      `import sys, pickle
class Odd:
    def __reduce__(self): return (eval, (sys.argv[1],))
pickle.dump(Odd(), open(sys.argv[2], "wb"))`,
      source,
      join(dir, name),
    );
    return dir;
  }

  async function predict(dir: string, instances: readonly unknown[]) {
    const backend = await open(dir);
    return (await backend.run([backend.prepare(instances)]))[0];
  }

  const rows = Array.from({ length: 90 }, (_, at) => [4 + (at % 37) / 10, 2 + (at % 23) / 10, 1 + (at % 59) / 10, 0.1 + (at % 24) / 10]); // biome-ignore format: one formula a column

  it("answers as scikit-learn itself, alone and batched", async () => {
    const own = runPython(
      "import json,sys,joblib; print(json.dumps(joblib.load(sys.argv[1]).predict(json.loads(sys.argv[2])).tolist()))",
      join(irisDir, "model.joblib"),
      JSON.stringify(rows),
    );
    const expected = JSON.parse(own) as number[];
    expect(new Set(expected).size).toBe(3);
    const backend = await open(irisDir);
    expect(await backend.run([backend.prepare(rows)])).toEqual([expected]);
    const batched = await backend.run(rows.map((row) => backend.prepare([row])));
    expect(batched.flat()).toEqual(expected);
    expect(backend.inputs).toEqual([{ name: "input-0", datatype: "FP64", shape: [-1, 4] }]);
    expect(backend.outputs).toEqual([{ name: "output-0", datatype: "INT64", shape: [-1] }]);
  });

  it("serves V1 and V2, and a bad row fails only its own request", async () => {
    const server: ModelServer = await serveModel((await open(irisDir)) as Backend, {
      modelName: "iris",
      host: "127.0.0.1",
      port: 0,
      maxBatchRows: 64,
      maxBodyBytes: 1e6,
      keepAliveSeconds: 1,
    });
    const post = async (path: string, body: unknown) => {
      const url = `http://127.0.0.1:${server.port}${path}`;
      const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
      return [response.status, await response.json()] as const;
    };
    const v1 = (instances: unknown) => post("/v1/models/iris:predict", { instances });
    const answers = await Promise.all([
      v1([[6.8, 2.8, 4.8, 1.4]]),
      v1([[1, 2, 3]]),
      v1([["a", 1, 1, 1]]),
      v1([[5, 3, 1, 0.2]]),
    ]);
    expect(answers[0]).toEqual([200, { predictions: [1] }]);
    expect(answers[1]).toEqual([
      500,
      { error: "X has 3 features, but LogisticRegression is expecting 4 features as input." },
    ]);
    expect(answers[2]![0]).toBe(500);
    expect(answers[3]).toEqual([200, { predictions: [0] }]);
    const tensor = { name: "input-0", shape: [1, 4], datatype: "FP32", data: [6.8, 2.8, 4.8, 1.4] };
    expect(await post("/v2/models/iris/infer", { id: "a", inputs: [tensor] })).toEqual([
      200,
      {
        model_name: "iris",
        model_version: null,
        id: "a",
        parameters: null,
        outputs: [{ name: "output-0", shape: [1], datatype: "INT64", parameters: null, data: [1] }],
      },
    ]);
    await server.stop();
  });

  it("takes rows with named columns", async () => {
    const dir = modelDir("[list(X.columns), len(X)]");
    expect(await predict(dir, [{ a: 1, b: "x" }, { a: 2, b: "y" }])).toEqual([["a", "b"], 2]); // biome-ignore format: one row a line
    expect(await predict(dir, [{ a: [1], b: [2] }])).toEqual([["a", "b"], 1]);
  });

  it("keeps what models print away from the answers", async () => {
    const dir = modelDir("(print('hello'), __import__('os').write(1, b'raw bytes'), X.sum(axis=1))[2]");
    expect(await predict(dir, [[1, 2], [3, 4]])).toEqual([3, 7]); // biome-ignore format: one row a line
  });

  it("passes on integers as integers, and NaN as null", async () => {
    const kinds = modelDir("[str(X.dtype)] * len(X)", "model.pkl");
    expect(await predict(kinds, [[1, 2]])).toEqual(["int64"]);
    expect(await predict(kinds, [[1.5, 2]])).toEqual(["float64"]);
    const nan = modelDir("X / 0.0");
    expect(await predict(nan, [[0.5, -1]])).toEqual([[null, null]]);
  });

  it("does not cut up an answer that is not one row for each row", async () => {
    const backend = await open(modelDir("[X.sum(), 1]"));
    const [one, two] = [backend.prepare([[1]]), backend.prepare([[2]])];
    await expect(backend.run([one, two])).rejects.toThrow("did not answer row by row");
    expect(await backend.run([one])).toEqual([[1, 1]]);
  });

  it.each([
    ["__import__('sys').exit(3)", "The Python worker exited with code 3", 3],
    ["__import__('os').kill(__import__('os').getpid(), 9)", "The Python worker was killed (SIGKILL)", 137],
    ["__import__('os')._exit(5)", "The Python worker exited with code 5", 5],
  ])("reports %s in predict", async (body, because, exitCode) => {
    const backend = await open(modelDir(body));
    const answer = backend.run([backend.prepare([[1]])]);
    await expect(answer).rejects.toThrow(because);
    expect(await backend.died).toMatchObject({ because: expect.stringContaining(because), exitCode });
    await expect(backend.run([backend.prepare([[1]])])).rejects.toThrow(because);
  });

  describe("names the cause when a file does not load", () => {
    async function failure(write: (path: string) => void): Promise<string> {
      const dir = mkdtempSync(join(tmpdir(), "drydock-sklearn-"));
      dirs.push(dir);
      write(join(dir, "model.pkl"));
      return open(dir).then(
        () => "it loaded",
        (error: Error) => error.message,
      );
    }
    const prefix = "Model file /mnt/models/model.pkl cannot be loaded: ";
    const dump = (reduce: string) => (path: string) =>
      runPython(
        `import sys, pickle
class Odd:
    def __reduce__(self): return (${reduce})
pickle.dump(Odd(), open(sys.argv[1], "wb"))`,
        path,
      );

    it("a module that is not installed", async () => {
      const message = await failure((path) => writeFileSync(path, "cnot_installed_here\nModel\n)R."));
      expect(message).toBe(`${prefix}ModuleNotFoundError: No module named 'not_installed_here'`);
    });

    it("a class that was never shipped", async () => {
      const message = await failure((path) => writeFileSync(path, "c__main__\nMyPipeline\n)R."));
      expect(message).toContain(`${prefix}AttributeError: module '__main__' has no attribute 'MyPipeline'`);
    });

    it.each(["", "this is no pickle", "\x80\x04\x95"])("a corrupt file: %j", async (text) => {
      expect(await failure((path) => writeFileSync(path, text, "latin1"))).toMatch(
        /cannot be loaded: (EOFError: the file ends|\w+Error: .* this is not a pickle|struct\.error: )/,
      );
    });

    it("something that is no model, or ends the process", async () => {
      expect(await failure(dump("dict, ()"))).toBe(
        `${prefix}TypeError: it holds a dict, which has no predict method`,
      );
      expect(await failure(dump("sys.exit, (4,)"))).toBe(`${prefix}SystemExit: 4`);
      expect(await failure(dump("__import__('os').abort, ()"))).toContain(
        "The Python worker was ended by SIGABRT",
      );
    });
  });

  it("warns of a file from another version of scikit-learn", async () => {
    const dir = mkdtempSync(join(tmpdir(), "drydock-sklearn-"));
    dirs.push(dir);
    runPython(
      `import sys, joblib, sklearn, sklearn.base
m = joblib.load(sys.argv[1]); sklearn.base.__version__ = "1.2.0"; joblib.dump(m, sys.argv[2])`,
      join(irisDir, "model.joblib"),
      join(dir, "model.joblib"),
    );
    const log: string[] = [];
    const backend = await open(dir, log);
    expect(log.join("\n")).toMatch(
      /^Warning: .*LogisticRegression from version 1\.2\.0 when using version 1\.6\.1/,
    );
    expect(await backend.run([backend.prepare([[6.8, 2.8, 4.8, 1.4]])])).toEqual([[1]]);
  });

  it("says what to do when there is no Python", async () => {
    const options = { modelDir: irisDir, modelDirLabel: irisDir, script: "x", onLog: () => {} };
    await expect(sklearnBackend({ ...options, python: undefined })).rejects.toThrow(
      "Run `drydock runtimes install sklearn`",
    );
    await expect(sklearnBackend({ ...options, python: "/no/python" })).rejects.toThrow(
      "Python cannot be started (/no/python): spawn /no/python ENOENT",
    );
  });
});
