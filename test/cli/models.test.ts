// Deploying and calling models for people without kubectl.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { ModelAnswer, ModelRequest } from "../../src/cli/index.js";
import { drydock, events, instance } from "./fake.js";

const isvcs = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices";
const ready = {
  apiVersion: "serving.kserve.io/v1beta1",
  kind: "InferenceService",
  metadata: { name: "iris", namespace: "default", uid: "u", generation: 1, resourceVersion: "2" },
  status: {
    observedGeneration: 1,
    url: "http://iris.default.localhost:18080",
    conditions: [{ type: "Ready", status: "True" }],
  },
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drydock-cli-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("deploy", () => {
  test.each([
    ["model.onnx", "onnx"],
    ["model.joblib", "sklearn"],
    ["model.pkl", "sklearn"],
  ])("guesses the format of %s and makes the path absolute", async (file, format) => {
    await mkdir(join(folder, "m"));
    await writeFile(join(folder, "m", file), "");
    const { out } = await drydock(["deploy", "iris", "-m", "m", "--dry-run=client", "-o", "yaml"], {
      context: { cwd: folder },
    });
    expect(parse(out)).toEqual({
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { name: "iris", namespace: "default" },
      spec: { predictor: { model: { modelFormat: { name: format }, storageUri: `file://${folder}/m` } } },
    });
  });

  test("takes other URIs as they are", async () => {
    const words = [
      "deploy",
      "iris",
      "-m",
      "pvc://claim/iris",
      "--format",
      "onnx",
      "--dry-run=client",
      "-o",
      "json",
    ];
    const { out } = await drydock(words);
    expect(JSON.parse(out)).toMatchObject({
      spec: { predictor: { model: { storageUri: "pvc://claim/iris" } } },
    });
  });

  test("does not guess between two", async () => {
    await Promise.all(["a.onnx", "b.pkl"].map((name) => writeFile(join(folder, name), "")));
    const { code, err } = await drydock(["deploy", "iris", "-m", folder]);
    expect(code).toBe(2);
    expect(err).toContain("it holds onnx and sklearn, which hides the model's format. Say it with --format");
  });

  test("--wait says what it waits for, and where the model is in the end", async () => {
    const waiting = {
      ...ready,
      metadata: { ...ready.metadata, resourceVersion: "1" },
      status: { conditions: [{ type: "Ready", status: "Unknown", reason: "Downloading", message: "12 MB" }] },
    };
    const { code, out, err } = await drydock(["deploy", "iris", "-m", "https://x/m.onnx", "--wait"], {
      answers: {
        [`PATCH ${isvcs}/iris`]: waiting,
        [`GET ${isvcs}`]: ({ query }: { query: object }) =>
          "watch" in query ? events({ type: "MODIFIED", object: ready }) : { metadata: {}, items: [waiting] },
      },
    });
    expect([code, out, err]).toEqual([
      0,
      "inferenceservice.serving.kserve.io/iris created\niris is ready at http://iris.default.localhost:18080\n",
      "waiting for iris: Downloading: 12 MB\n",
    ]);
  });
});

describe("predict", () => {
  const answers = { [`GET ${isvcs}/iris`]: ready };
  const calling = (answer: Partial<ModelAnswer>, seen: ModelRequest[] = []) => ({
    callModel: async (request: ModelRequest): Promise<ModelAnswer> => {
      seen.push(request);
      const usual = { status: 200, headers: {}, body: '{"predictions":[1]}', totalMs: 3.14, firstByteMs: 3 };
      return { ...usual, ...answer };
    },
  });

  test("prints the answer, and each hop's time beside it", async () => {
    const seen: ModelRequest[] = [];
    const headers = { "server-timing": "gateway;dur=0.412, pod;dur=12.300" };
    const { code, out, err } = await drydock(["predict", "iris", "-d", '{"instances":[]}'], {
      answers,
      context: calling({ headers }, seen),
    });
    expect([code, out, err]).toEqual([
      0,
      '{"predictions":[1]}\n',
      "3.1 ms in all: gateway 0.4 ms, pod 12 ms\n",
    ]);
    expect(seen[0]).toMatchObject({
      gateway: instance.gateway.url,
      host: "iris.default.localhost:18080",
      path: "/v1/models/iris:predict",
      body: '{"instances":[]}',
    });
  });

  test("says what a cold start was made of, when the request waited for one", async () => {
    const headers = {
      "server-timing": 'gateway;dur=0.412, hold;dur=19.5, pod;dur=1.300, cold;desc="iris-1-p1"',
    };
    const condition = {
      type: "drydock.dev/Started",
      status: "True",
      message: "decide=3 create=1 files=6 sandbox=2 load=4 probe=1",
    };
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "iris-1-p1" },
      status: { conditions: [condition] },
    };
    const path = "GET /api/v1/namespaces/default/pods/iris-1-p1";
    const { err } = await drydock(["predict", "iris", "-d", '{"instances":[]}'], {
      answers: { ...answers, [path]: pod },
      context: calling({ headers, totalMs: 21.3, firstByteMs: 21.1 }),
    });
    expect(err).toBe(
      "21 ms in all: gateway 0.4 ms, hold 20 ms, pod 1.3 ms\n" +
        "cold start of iris-1-p1: decide 3.0 ms, create 1.0 ms, files 6.0 ms, sandbox 2.0 ms, load 4.0 ms, probe 1.0 ms; " +
        "routing 2.5 ms; first byte after 21 ms\n",
    );
    const gone = await drydock(["predict", "iris", "-d", '{"instances":[]}'], {
      answers,
      context: calling({ headers, totalMs: 21.3, firstByteMs: 21.1 }),
    });
    expect(gone.err).toContain("cold start of iris-1-p1: first byte after 21 ms\n");
  });

  test("takes the request from a file or from standard input", async () => {
    const seen: ModelRequest[] = [];
    await writeFile(join(folder, "in.json"), '{"a":1}');
    const context = { ...calling({}, seen), cwd: folder };
    await drydock(["predict", "iris", "-d", "@in.json"], { answers, context });
    await drydock(["predict", "iris", "-d", "-"], { answers, context, stdin: '{"b":2}' });
    expect(seen.map(({ body }) => body)).toEqual(['{"a":1}', '{"b":2}']);
    const { code, err } = await drydock(["predict", "iris", "-d", "@none.json"], { answers, context });
    expect(code).toBe(1);
    expect(err).toMatch(/^error: cannot read none.json: ENOENT/);
  });

  test("a refusal names the hop and is a failure", async () => {
    const refused = {
      status: 503,
      headers: { "x-drydock-reason": "NoReadyPod" },
      body: '{"error":"no pod"}\n',
    };
    const { code, out, err } = await drydock(["predict", "iris", "-d", "{}"], {
      answers,
      context: calling(refused),
    });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toBe('HTTP 503 from the gateway (NoReadyPod): {"error":"no pod"}\n3.1 ms in all\n');
    const bad = { status: 400, headers: {}, body: '{"error":"instances"}' };
    const ran = await drydock(["predict", "iris", "-d", "{}"], { answers, context: calling(bad) });
    expect(ran.err).toContain('HTTP 400 from the model server: {"error":"instances"}');
  });

  test("a model that is not ready says why", async () => {
    const status = {
      conditions: [{ type: "Ready", status: "False", reason: "ModelLoadFailed", message: "no file" }],
    };
    const { code, err } = await drydock(["predict", "iris", "-d", "{}"], {
      answers: { [`GET ${isvcs}/iris`]: { ...ready, status } },
    });
    expect(code).toBe(1);
    expect(err).toContain(
      "iris has no URL yet (ModelLoadFailed: no file). See `drydock describe isvc iris -n default`.",
    );
  });
});

describe("kubeconfig --merge", () => {
  const ours = `apiVersion: v1
kind: Config
clusters: [{name: drydock, cluster: {server: "https://127.0.0.1:16443"}}]
users: [{name: drydock, user: {}}]
contexts: [{name: drydock, context: {cluster: drydock, user: drydock}}]
current-context: drydock
`;
  const context = async () => {
    const fake = (await import("./fake.js")).instance;
    const instances = { home: "", find: async () => fake, kubeconfig: async () => ours } as never;
    return { instances, userHome: folder, env: {} };
  };
  const file = () => join(folder, ".kube", "config");

  test("makes the file, for its owner only, and changes nothing the second time", async () => {
    await drydock(["kubeconfig", "--merge"], { context: await context() });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(parse(await readFile(file(), "utf8"))).toEqual(parse(ours));
    const before = await readFile(file(), "utf8");
    const { out } = await drydock(["kubeconfig", "--merge"], { context: await context() });
    expect(out).toContain("already has the context");
    expect(await readFile(file(), "utf8")).toBe(before);
  });

  test("leaves other contexts as they are, and keeps what was there", async () => {
    const theirs = `apiVersion: v1
kind: Config
clusters: [{name: work, cluster: {server: "https://work"}}, {name: drydock, cluster: {server: "https://old"}}]
users: [{name: work, user: {token: t}}]
contexts: [{name: work, context: {cluster: work, user: work}}]
current-context: work
preferences: {colors: true}
`;
    await mkdir(join(folder, ".kube"));
    await writeFile(file(), theirs);
    await drydock(["kubeconfig", "--merge"], { context: await context() });
    const merged = parse(await readFile(file(), "utf8")) as Record<string, { name: string }[]>;
    expect(merged["clusters"]).toEqual([
      { name: "work", cluster: { server: "https://work" } },
      { name: "drydock", cluster: { server: "https://127.0.0.1:16443" } },
    ]);
    expect([merged["users"]?.[0]?.name, merged["preferences"], merged["current-context"]]).toEqual([
      "work",
      { colors: true },
      "drydock",
    ]);
    expect(await readFile(`${file()}.drydock-backup`, "utf8")).toBe(theirs);
  });

  test("leaves a file alone that it cannot read as YAML", async () => {
    await mkdir(join(folder, ".kube"));
    await writeFile(file(), "clusters: [");
    const { code, err } = await drydock(["kubeconfig", "--merge"], { context: await context() });
    expect(code).toBe(1);
    expect(err).toContain("is not valid YAML and is left alone");
    expect(await readFile(file(), "utf8")).toBe("clusters: [");
  });
});
