// The everyday verbs: kubectl's words and columns, from the server's own tables.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiRequest } from "../../src/cli/index.js";
import { drydock, events, refusal } from "./fake.js";

const isvcs = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices";
const columnDefinitions = [
  { name: "Name", priority: 0 },
  { name: "URL", priority: 0 },
  { name: "Ready", priority: 0 },
  { name: "Node", priority: 1 },
];
const row = (name: string, ready: string | null, namespace = "default") => ({
  cells: [name, ready === "True" ? `http://${name}.default.localhost` : null, ready, "drydock"],
  object: { metadata: { name, namespace, labels: { app: name } } },
});
const table = (...rows: readonly object[]) => ({
  kind: "Table",
  metadata: { resourceVersion: "7" },
  columnDefinitions,
  rows,
});

describe("get", () => {
  const answers = { [`GET ${isvcs}`]: table(row("iris", "True"), row("a-longer-name", null)) };

  test.each(["isvc", "InferenceService", "inferenceservices", "inferenceservices.serving.kserve.io"])(
    "%s shows the server's table",
    async (word) => {
      const { code, out } = await drydock(["get", word], { answers });
      expect(code).toBe(0);
      expect(out).toBe(
        "NAME            URL                             READY\n" +
          "iris            http://iris.default.localhost   True\n" +
          "a-longer-name\n",
      );
    },
  );

  test("-o wide shows the columns of lower priority, --show-labels the labels", async () => {
    const { out } = await drydock(["get", "isvc", "-o", "wide", "--show-labels"], { answers });
    expect(out.split("\n")[1]).toBe(
      "iris            http://iris.default.localhost   True    drydock   app=iris",
    );
  });

  test("-A puts the namespace first", async () => {
    const all = {
      "GET /apis/serving.kserve.io/v1beta1/inferenceservices": table(row("iris", "True", "team")),
    };
    const { out } = await drydock(["get", "isvc", "-A"], { answers: all });
    expect(out.split("\n")[0]).toMatch(/^NAMESPACE {3}NAME/);
    expect(out.split("\n")[1]).toMatch(/^team {8}iris/);
  });

  test("nothing there is said on stderr and is no failure", async () => {
    const ran = await drydock(["get", "isvc"], { answers: { [`GET ${isvcs}`]: table() } });
    expect(ran).toMatchObject({ code: 0, out: "", err: "No resources found in default namespace.\n" });
  });

  test("what is not there keeps nothing else from being shown", async () => {
    const { code, out, err } = await drydock(["get", "isvc", "iris", "wine"], {
      answers: {
        [`GET ${isvcs}/iris`]: table(row("iris", "True")),
        [`GET ${isvcs}/wine`]: refusal("NotFound", 'inferenceservices.serving.kserve.io "wine" not found'),
      },
    });
    expect(code).toBe(1);
    expect(out).toContain("\niris ");
    expect(err).toBe('Error from server (NotFound): inferenceservices.serving.kserve.io "wine" not found\n');
  });

  test("several kinds are told apart by their prefix", async () => {
    const { out } = await drydock(["get", "all"], {
      answers: {
        "GET /api/v1/namespaces/default/pods": table(row("iris-0", "True")),
        "GET /api/v1/namespaces/default/services": table(row("iris", "True")),
        "GET /apis/apps/v1/namespaces/default/deployments": table(),
      },
    });
    expect(out.split("\n").map((line) => line.split(" ")[0])).toEqual([
      "NAME",
      "pod/iris-0",
      "",
      "NAME",
      "service/iris",
      "",
    ]);
  });

  test("a plain word means the core kind before a namesake", async () => {
    const { requests } = await drydock(["get", "service"], {
      answers: { "GET /api/v1/namespaces/default/services": table() },
    });
    expect(requests.at(-1)?.path).toBe("/api/v1/namespaces/default/services");
  });

  test("an unknown kind", async () => {
    const { code, err } = await drydock(["get", "widgets"]);
    expect([code, err]).toEqual([1, 'error: the server doesn\'t have a resource type "widgets"\n']);
  });

  test("-o yaml and json give whole objects without managedFields, -o name their names", async () => {
    const iris = {
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { name: "iris", managedFields: [] },
      spec: { answer: "no" },
    };
    const one = { [`GET ${isvcs}/iris`]: iris };
    expect((await drydock(["get", "isvc/iris", "-o", "yaml"], { answers: one })).out).toBe(
      'apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata:\n  name: iris\nspec:\n  answer: "no"\n',
    );
    const list = { [`GET ${isvcs}`]: { ...iris, items: [{ metadata: { name: "iris" } }] } };
    const json = JSON.parse((await drydock(["get", "isvc", "-o", "json"], { answers: list })).out) as {
      kind: string;
      items: object[];
    };
    expect([json.kind, json.items]).toEqual([
      "List",
      [{ apiVersion: iris.apiVersion, kind: "InferenceService", metadata: { name: "iris" } }],
    ]);
    expect((await drydock(["get", "isvc", "-o", "name"], { answers: list })).out).toBe(
      "inferenceservice.serving.kserve.io/iris\n",
    );
  });

  test("-w goes on below the same columns", async () => {
    const watched = (request: ApiRequest) =>
      request.query?.["watch"]
        ? events({ type: "MODIFIED", object: { ...table(row("iris", "False")), columnDefinitions: null } })
        : table(row("iris", "True"));
    const { out, requests } = await drydock(["get", "isvc", "-w"], {
      answers: { [`GET ${isvcs}`]: watched },
    });
    expect(out.split("\n")).toEqual([
      "NAME   URL                             READY",
      "iris   http://iris.default.localhost   True",
      "iris                                   False",
      "",
    ]);
    expect(requests.at(-1)?.query).toMatchObject({ watch: true, resourceVersion: "7" });
  });
});

describe("apply", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "drydock-cli-"));
    await writeFile(
      join(folder, "iris.yaml"),
      "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: iris}\nspec: {predictor: {}}\n---\n# nothing\n",
    );
    await writeFile(join(folder, "readme.txt"), "not a manifest");
  });
  afterAll(() => rm(folder, { recursive: true }));

  const stored = (version: string, spec: object, status?: object) => ({
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: { name: "iris", namespace: "default", resourceVersion: version, managedFields: [version] },
    spec,
    status,
  });

  test.each([
    ["created", undefined, stored("1", { a: 1 })],
    ["configured", stored("1", { a: 1 }), stored("2", { a: 2 })],
    [
      "unchanged",
      stored("1", { a: 1, b: 2 }),
      stored("2", { b: 2, a: 1 }, { url: "http://written-meanwhile" }),
    ],
  ])("says %s", async (word, before, after) => {
    const { code, out, requests } = await drydock(["apply", "-f", folder], {
      answers: { [`GET ${isvcs}/iris`]: before, [`PATCH ${isvcs}/iris`]: after },
    });
    expect([code, out]).toEqual([0, `inferenceservice.serving.kserve.io/iris ${word}\n`]);
    expect(requests.at(-1)).toMatchObject({
      contentType: "application/apply-patch+yaml",
      query: { fieldManager: "drydock", force: true, fieldValidation: "Strict" },
    });
  });

  test("--server-side does not take fields from others", async () => {
    const conflict = refusal("Conflict", 'Apply failed with 1 conflict: conflict with "hpa": .spec.a');
    const { code, err, requests } = await drydock(
      ["apply", "--server-side", "-f", join(folder, "iris.yaml")],
      {
        answers: { [`PATCH ${isvcs}/iris`]: conflict },
      },
    );
    expect([code, err]).toEqual([
      1,
      'Error from server (Conflict): Apply failed with 1 conflict: conflict with "hpa": .spec.a\n',
    ]);
    expect(requests.at(-1)?.query?.["force"]).toBe(false);
  });

  test.each([
    ["kind: [", "error: error parsing STDIN: "],
    ["a: 1", "error: error validating \"STDIN\": Object 'Kind' is missing\n"],
    [
      "kind: Pod\napiVersion: v1\nmetadata: {}",
      'error: error validating "STDIN": resource name may not be empty\n',
    ],
    [
      "kind: Frob\napiVersion: v9\nmetadata: {name: a}",
      'error: resource mapping not found for name: "a" namespace: "" from "STDIN": no matches for kind "Frob" in version "v9"\n',
    ],
    [
      "kind: Pod\napiVersion: v1\nmetadata: {name: a, namespace: b}",
      'error: the namespace from the provided object "b" does not match the namespace "team". You must pass \'--namespace=b\' to perform this operation.\n',
    ],
    ["", "error: no objects found in -\n"],
  ])("refuses %j in words", async (stdin, line) => {
    const { code, err } = await drydock(["apply", "-n", "team", "-f", "-"], { stdin });
    expect(code).toBe(1);
    expect(err.startsWith(line)).toBe(true);
    expect(err.trim().split("\n")).toHaveLength(1);
  });

  test("a file that is not there", async () => {
    const { err } = await drydock(["apply", "-f", "/no/such.yaml"]);
    expect(err).toBe('error: the path "/no/such.yaml" does not exist\n');
  });
});

describe("delete", () => {
  const gone = { [`DELETE ${isvcs}/iris`]: { kind: "Status", details: { uid: "u1" } } };

  test("says so and returns once it is gone", async () => {
    const { code, out } = await drydock(["delete", "isvc", "iris"], { answers: gone });
    expect([code, out]).toEqual([0, 'inferenceservice.serving.kserve.io "iris" deleted\n']);
  });

  test("waits for what ends slowly, and only for that one", async () => {
    const object = { metadata: { name: "iris", uid: "u1", resourceVersion: "5" } };
    const { err, requests } = await drydock(["delete", "isvc/iris"], {
      answers: {
        ...gone,
        [`GET ${isvcs}/iris`]: object,
        [`GET ${isvcs}`]: () => events({ type: "DELETED", object }),
      },
    });
    expect(err).toBe('waiting for inferenceservice.serving.kserve.io "iris" to end\n');
    expect(requests.at(-1)?.query).toMatchObject({ watch: true, fieldSelector: "metadata.name=iris" });
    const reborn = { metadata: { name: "iris", uid: "u2" } };
    expect(
      (await drydock(["delete", "isvc/iris"], { answers: { ...gone, [`GET ${isvcs}/iris`]: reborn } })).err,
    ).toBe("");
  });

  test("--wait=false does not look", async () => {
    const { requests } = await drydock(["delete", "isvc", "iris", "--wait=false"], { answers: gone });
    expect(requests.at(-1)?.method).toBe("DELETE");
  });

  test("-l deletes what is listed, one by one", async () => {
    const list = { items: [{ metadata: { name: "iris", namespace: "default" } }] };
    const { out } = await drydock(["delete", "isvc", "-l", "app=x"], {
      answers: { ...gone, [`GET ${isvcs}`]: list },
    });
    expect(out).toContain('"iris" deleted');
  });

  test("what is not there is a failure, unless told otherwise", async () => {
    const missing = {
      [`DELETE ${isvcs}/iris`]: refusal("NotFound", 'inferenceservices.serving.kserve.io "iris" not found'),
    };
    expect((await drydock(["delete", "isvc", "iris"], { answers: missing })).code).toBe(1);
    expect((await drydock(["delete", "isvc", "iris", "--ignore-not-found"], { answers: missing })).code).toBe(
      0,
    );
  });
});

describe("describe", () => {
  test("shows the object in words and what happened to it", async () => {
    const iris = {
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { name: "iris", namespace: "default", uid: "u1", labels: { app: "iris" }, generation: 1 },
      spec: { predictor: { model: { modelFormat: { name: "onnx" }, storageUri: "file:///m" } } },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    };
    const event = {
      type: "Normal",
      reason: "Ready",
      message: "it is",
      count: 2,
      source: { component: "controller" },
    };
    const { out } = await drydock(["describe", "isvc", "iris"], {
      answers: { [`GET ${isvcs}/iris`]: iris, "GET /api/v1/namespaces/default/events": { items: [event] } },
    });
    expect(out).toBe(
      [
        "Name:         iris",
        "Namespace:    default",
        "Labels:       app=iris",
        "Annotations:  <none>",
        "API Version:  serving.kserve.io/v1beta1",
        "Kind:         InferenceService",
        "Metadata:",
        "  Generation:  1",
        "  Uid:         u1",
        "Spec:",
        "  Predictor:",
        "    Model:",
        "      Model Format:",
        "        Name:  onnx",
        "      Storage Uri:  file:///m",
        "Status:",
        "  Conditions:",
        "    Status:  True",
        "    Type:    Ready",
        "Events:",
        "  Type     Reason   Age                             From         Message",
        "  ----     ------   ---                             ----         -------",
        "  Normal   Ready    <unknown> (x2 over <unknown>)   controller   it is",
        "",
      ].join("\n"),
    );
  });

  test("shows the limits a request meets on its way, between the object and its events", async () => {
    const service = {
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: "cat", namespace: "default" },
    };
    const revision = { ...service, kind: "Revision", metadata: { name: "cat-00001", namespace: "default" } };
    const knative = "/apis/serving.knative.dev/v1/namespaces/default";
    const { out } = await drydock(["describe", "ksvc", "cat"], {
      answers: {
        [`GET ${knative}/services/cat`]: service,
        [`GET ${knative}/revisions`]: { items: [{ ...revision, spec: { containerConcurrency: 3 } }] },
        "GET /api/v1/namespaces/default/events": { items: [] },
      },
    });
    expect(out).toMatch(/\nLimits:\n {2}On the way +Value +Set by\n(?: {2}\S.*\n)+Events:/);
    expect(out).toMatch(/\n {2}pod: requests at once +3 +Revision cat-00001 containerConcurrency\n/);
  });
});

describe("logs", () => {
  const pod = (name: string, createdAt: string, status: object = {}) => ({
    metadata: { name, creationTimestamp: createdAt },
    spec: { containers: [{ name: "kserve-container" }], initContainers: [{ name: "storage-initializer" }] },
    status,
  });
  const path = "/api/v1/namespaces/default/pods";
  const said = async function* () {
    yield Buffer.from("hello\n");
  };

  test("of a model's newest pod", async () => {
    const { out, err, requests } = await drydock(["logs", "isvc/iris", "--tail", "5", "--since", "2m"], {
      answers: {
        [`GET ${path}`]: { items: [pod("old", "2026-01-01T00:00:00Z"), pod("new", "2026-01-02T00:00:00Z")] },
        [`GET ${path}/new/log`]: said,
      },
    });
    expect([out, err]).toEqual(["hello\n", "Found 2 pods, using pod/new\n"]);
    expect(requests.at(-1)?.query).toMatchObject({
      container: "kserve-container",
      tailLines: 5,
      sinceSeconds: 120,
    });
  });

  test("while the model is fetched, of the container that fetches it", async () => {
    const status = {
      containerStatuses: [{ name: "kserve-container", state: { waiting: { reason: "PodInitializing" } } }],
      initContainerStatuses: [{ name: "storage-initializer", state: { running: {} } }],
    };
    const { err, requests } = await drydock(["logs", "iris-0"], {
      answers: { [`GET ${path}/iris-0`]: pod("iris-0", "", status), [`GET ${path}/iris-0/log`]: said },
    });
    expect(err).toBe('Container "kserve-container" has not started yet: showing "storage-initializer"\n');
    expect(requests.at(-1)?.query?.["container"]).toBe("storage-initializer");
  });

  test("of a model without pods", async () => {
    const { code, err } = await drydock(["logs", "isvc/iris"], {
      answers: { [`GET ${path}`]: { items: [] } },
    });
    expect([code, err]).toEqual([
      1,
      "error: isvc/iris has no pods in namespace default. See `drydock describe isvc iris`.\n",
    ]);
  });
});
