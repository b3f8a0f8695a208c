import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes } from "../adapters/runtimes/index.js";
import type { Backend, BackendDeath, Prepared } from "./backend.js";
import { inferenceError } from "./errors.js";
import { onnxBackend } from "./onnx/backend.js";
import { type ModelServer, type ServerOptions, serveModel } from "./server.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const home = process.env["DRYDOCK_TEST_RUNTIMES"] ?? join(root, ".drydock/test-home");

const hasPython = spawnSync(process.env["DRYDOCK_PYTHON_BIN"] ?? "python3", ["--version"]).status === 0;

const defaults: ServerOptions = {
  modelName: "iris",
  host: "127.0.0.1",
  port: 0,
  maxBatchRows: 512,
  maxBodyBytes: 1_000_000,
  keepAliveSeconds: 5,
};

async function ask(server: ModelServer, method: string, path: string, body?: string) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    ...(body !== undefined && { body }),
  });
  return { status: response.status, body: await response.text(), headers: response.headers };
}

describe("the server over a real ONNX model", () => {
  let server: ModelServer;
  beforeAll(async () => {
    const { env } = await runtimes({ home }).ensure("onnx");
    const modelDir = join(root, "examples/models/onnx-iris");
    const runtimeFolder = env["DRYDOCK_ONNXRUNTIME"];
    const backend = await onnxBackend({
      modelDir,
      modelDirLabel: modelDir,
      runtimeFolder,
      threads: 1,
      predictProba: false,
    });
    server = await serveModel(backend as Backend, defaults);
  }, 300_000);
  afterAll(() => server.stop());

  it.each([
    ["GET", "/", 200, '{"status":"alive"}'],
    ["GET", "/v1/models", 200, '{"models":["iris"]}'],
    ["GET", "/v1/models/iris", 200, '{"name":"iris","ready":true}'],
    ["GET", "/v1/models/other", 404, '{"error":"Model with name other does not exist."}'],
    ["GET", "/v2", 200, '{"name":"kserve","version":"0.1.0","extensions":["model_repository_extension"]}'],
    ["GET", "/v2/health/live", 200, '{"live":true}'],
    ["GET", "/v2/health/ready", 200, '{"ready":true}'],
    ["GET", "/v2/models", 200, '{"models":["iris"]}'],
    ["GET", "/v2/models/iris/ready", 200, '{"name":"iris","ready":true}'],
    ["GET", "/v2/models/other/ready", 404, '{"error":"Model with name other does not exist."}'],
    ["GET", "/v2/models/iris/versions/1", 501, '{"error":"Model versioning not supported yet."}'],
    ["GET", "/v1/models/iris?x=1", 200, '{"name":"iris","ready":true}'],
    ["GET", "/nope", 404, '{"detail":"Not Found"}'],
    ["GET", "/v1/models/%zz", 404, '{"detail":"Not Found"}'],
    ["GET", "/__proto__", 404, '{"detail":"Not Found"}'],
    ["GET", "/v1/models/iris:predict", 405, '{"detail":"Method Not Allowed"}'],
    ["POST", "/v1/models/iris", 405, '{"detail":"Method Not Allowed"}'],
    ["DELETE", "/", 405, '{"detail":"Method Not Allowed"}'],
  ])("%s %s answers %i", async (method, path, status, body) => {
    const answer = await ask(server, method, path);
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.headers.get("content-type")).toBe("application/json");
  });

  it.each([
    [
      "/v1/models/iris:predict",
      '{"instances":[[6.8,2.8,4.8,1.4],[6.0,3.4,4.5,1.6]]}',
      200,
      '{"predictions":[1,1]}',
    ],
    ["/v1/models/iris:predict", '{"inputs":[[6.8,2.8,4.8,1.4]]}', 200, '{"predictions":[1]}'],
    [
      "/v1/models/other:predict",
      '{"instances":[[1,2,3,4]]}',
      404,
      '{"error":"Model with name other does not exist."}',
    ],
    ["/v1/models/iris:predict", '{"instances":3}', 400, '{"error":"Expected \\"instances\\" to be a list"}'],
    ["/v1/models/iris:predict", '{"inputs":3}', 400, '{"error":"Expected \\"inputs\\" to be a list"}'],
    ["/v1/models/iris:predict", "[]", 400, '{"error":"Expected \\"instances\\" to be a list"}'],
    ["/v1/models/iris:explain", "{}", 501, '{"error":"Model iris does not implement explain."}'],
  ])("POST %s %s", async (path, sent, status, body) => {
    const answer = await ask(server, "POST", path, sent);
    expect([answer.status, answer.body]).toEqual([status, body]);
  });

  it("says what is wrong with JSON that is none", async () => {
    const answer = await ask(server, "POST", "/v1/models/iris:predict", '{"instances":');
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body).error).toMatch(/^Unrecognized request format: /);
  });

  const v2 = (inputs: unknown, more = {}) =>
    ask(server, "POST", "/v2/models/iris/infer", JSON.stringify({ id: "7", inputs, ...more }));
  const tensor = { name: "input-0", shape: [2, 4], datatype: "FP32", data: [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]] }; // biome-ignore format: a table

  it("speaks V2: nested and flat data, chosen outputs, echoed id", async () => {
    const nested = await v2([tensor], { outputs: [{ name: "label" }] });
    expect(JSON.parse(nested.body)).toEqual({
      model_name: "iris",
      model_version: null,
      id: "7",
      parameters: null,
      outputs: [{ name: "label", shape: [2], datatype: "INT64", parameters: null, data: [1, 1] }],
    });
    const flat = JSON.parse((await v2([{ ...tensor, data: tensor.data.flat() }])).body);
    expect(flat.outputs.map(({ name, shape }: { name: string; shape: number[] }) => [name, shape])).toEqual([
      ["label", [2]],
      ["probabilities", [2, 3]],
    ]);
  });

  it.each([
    [{ inputs: [{ ...tensor, datatype: "FP16" }] }, 400, "Receiving FP16 data via JSON is not supported."],
    [{ inputs: [{ ...tensor, datatype: "FP99" }] }, 400, "unknown datatype 'FP99'"],
    [
      { inputs: [{ ...tensor, data: undefined }] },
      400,
      "'data' field is missing for input 'input-0' for model 'iris'",
    ],
    [{ inputs: [{ ...tensor, shape: [3, 4] }] }, 400, "holds 8 elements, but shape [3, 4] takes 12"],
    [{ inputs: [{ ...tensor, shape: [4, 2] }] }, 400, "takes shape [-1, 4], but was sent [4, 2]"],
    [{ inputs: [tensor], outputs: [{ name: "x" }] }, 400, "Unexpected inference output 'x' for model 'iris'"],
    [{ inputs: [] }, 400, "No input tensor was sent"],
    [{}, 422, '"loc":["body","inputs"],"msg":"Field required"'],
    [{ inputs: [{ name: "x", shape: [-1], datatype: 3 }] }, 422, '"loc":["body","inputs",0,"shape"]'],
  ])("refuses V2 %j", async (body, status, words) => {
    const answer = await ask(server, "POST", "/v2/models/iris/infer", JSON.stringify(body));
    expect(answer.status).toBe(status);
    expect(status === 422 ? answer.body : JSON.parse(answer.body).error).toContain(words);
  });

  it("refuses a body over its bound, declared or not, and compressed ones", async () => {
    const url = `http://127.0.0.1:${server.port}/v1/models/iris:predict`;
    const huge = "x".repeat(1_500_000);
    const declared = await fetch(url, { method: "POST", body: huge });
    expect([declared.status, await declared.text()]).toEqual([
      413,
      '{"error":"The request body is larger than 1000000 bytes."}',
    ]);
    const status = await new Promise((resolve) => {
      const request = httpRequest(url, { method: "POST" }, (response) => resolve(response.statusCode));
      request.on("error", () => {});
      request.write(huge);
      request.write(huge);
    });
    expect(status).toBe(413);
    const zipped = await fetch(url, { method: "POST", body: "x", headers: { "content-encoding": "gzip" } });
    expect(zipped.status).toBe(415);
  });

  it("counts in upstream's histograms", async () => {
    const { body, headers } = await ask(server, "GET", "/metrics");
    expect(headers.get("content-type")).toContain("text/plain");
    for (const phase of ["preprocess", "predict", "postprocess", "explain"]) {
      expect(body).toMatch(
        new RegExp(`^request_${phase}_seconds_bucket\\{le="\\+Inf",model_name="iris"\\} \\d+$`, "m"),
      );
    }
    expect(body).toMatch(/^request_predict_seconds_count\{model_name="iris"\} [1-9]/m);
  });

  const title = "gives scikit-learn's own answers, under concurrent requests";
  it.skipIf(!hasPython)(`${title} (needs python3 on PATH)`, { timeout: 600_000 }, async () => {
    const python = (await runtimes({ home }).ensure("sklearn")).env["DRYDOCK_PYTHON"] ?? "";
    const rows = Array.from({ length: 200 }, (_, at) => [4 + (at % 37) / 10, 2 + (at % 23) / 10, 1 + (at % 59) / 10, 0.1 + (at % 24) / 10]); // biome-ignore format: one formula a column
    const program = `import json,sys,joblib; m=joblib.load(sys.argv[1]); print(json.dumps(m.predict(json.load(sys.stdin)).tolist()))`;
    const model = join(root, "examples/models/sklearn-iris/model.joblib");
    // Not spawnSync: the server under test lives in this very process.
    const own = spawn(python, ["-c", program, model], { stdio: ["pipe", "pipe", "inherit"] });
    own.stdin.end(JSON.stringify(rows));
    const expected = JSON.parse(await text(own.stdout)) as number[];
    expect(new Set(expected).size).toBe(3);
    const answers = await Promise.all(
      rows.map((row) => ask(server, "POST", "/v1/models/iris:predict", JSON.stringify({ instances: [row] }))),
    );
    expect(answers.map(({ body }) => JSON.parse(body).predictions[0])).toEqual(expected);
  });
});

describe("the server's life", () => {
  interface Held extends Prepared {
    readonly instances: readonly unknown[];
  }
  function heldBackend() {
    let die!: (death: BackendDeath) => void;
    const died = new Promise<BackendDeath>((resolve) => {
      die = resolve;
    });
    const held: (() => void)[] = [];
    const backend: Backend<Held> = {
      platform: "test",
      inputs: [],
      outputs: [],
      prepare: (instances) => ({ rows: instances.length, shape: undefined, instances }),
      run: (batch) =>
        new Promise((resolve, reject) => {
          held.push(() => resolve(batch.map(({ instances }) => instances)));
          void died.then(({ because }) => reject(inferenceError(because)));
        }),
      infer: async () => [],
      died,
      close: async () => {},
    };
    return { backend, die, held };
  }

  async function until(holds: () => boolean) {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  }

  it("finishes what is in flight before it stops, and takes nothing new", async () => {
    const { backend, held } = heldBackend();
    const server = await serveModel(backend, defaults);
    const answer = ask(server, "POST", "/v1/models/iris:predict", '{"instances":[1]}');
    await until(() => held.length === 1);
    let stopped = false;
    const stopping = server.stop().then(() => {
      stopped = true;
    });
    await expect(ask(server, "GET", "/")).rejects.toThrow();
    expect(stopped).toBe(false);
    held[0]!();
    expect(await answer).toMatchObject({ status: 200, body: '{"predictions":[1]}' });
    expect((await answer).headers.get("connection")).toBe("close");
    await stopping;
  });

  it("tells every waiting request of the backend's death, and is not ready any more", async () => {
    const { backend, die, held } = heldBackend();
    const server = await serveModel(backend, defaults);
    const answers = [1, 2].map((n) => ask(server, "POST", "/v1/models/iris:predict", `{"instances":[${n}]}`));
    await until(() => held.length === 1);
    die({ because: "The worker died of joy.", exitCode: 7 });
    expect(await answers[0]).toMatchObject({ status: 500, body: '{"error":"The worker died of joy."}' });
    for (const path of ["/v1/models/iris", "/v2/models/iris/ready"]) {
      expect(await ask(server, "GET", path)).toMatchObject({
        status: 503,
        body: '{"error":"Model with name iris is not ready."}',
      });
    }
    expect(await ask(server, "GET", "/v2/health/ready")).toMatchObject({ status: 503 });
    await server.stop();
  });

  it("says plainly that its port is taken", async () => {
    const { backend } = heldBackend();
    const server = await serveModel(backend, defaults);
    await expect(serveModel(backend, { ...defaults, port: server.port })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${server.port}: the port is in use`,
    );
    await server.stop();
  });

  it("keeps connections open, and survives garbage on them", async () => {
    const { backend } = heldBackend();
    const server = await serveModel(backend, defaults);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let at = 0; at < 3; at++) {
      const request = httpRequest({ port: server.port, host: "127.0.0.1", path: "/", agent });
      request.end();
      const [response] = await once(request, "response");
      ports.add(response.socket.localPort);
      response.resume();
      await once(response, "end");
    }
    agent.destroy();
    expect(ports.size).toBe(1);
    const socket = connect(server.port, "127.0.0.1");
    socket.end("\x16\x03\x01 this is not HTTP\r\n\r\n");
    let said = "";
    for await (const chunk of socket) said += String(chunk);
    expect(said).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask(server, "GET", "/")).toMatchObject({ status: 200 });
    await server.stop();
  });
});
