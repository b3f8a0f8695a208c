// The wire itself: who is let in, how lists and watches behave, what a refusal looks like.

import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limits } from "../../src/apiserver/limits.js";
import { ConfigMap } from "../../src/domain/apis/core/config.types.js";
import { Namespace } from "../../src/domain/apis/core/namespace.types.js";
import type { Kind } from "../../src/domain/apis/kind.js";
import { Gadget } from "../contracts/client.js";
import { startWorld, until, type World } from "./world.js";

let world: World;
beforeAll(async () => {
  world = await startWorld({ kinds: [Gadget as unknown as Kind] });
});
afterAll(async () => {
  await world.close();
});

interface Answer {
  readonly code: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests below say what they expect of it
  readonly json: any;
}

function open(
  path: string,
  {
    method = "GET",
    headers = {},
    body = "",
    anonymous = false,
    agent,
  }: { method?: string; headers?: object; body?: string; anonymous?: boolean; agent?: Agent } = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { pki, server } = world;
    const request = httpsRequest(server.url + path, {
      method,
      agent,
      ca: pki.ca,
      headers: {
        ...(anonymous ? {} : { Authorization: `Bearer ${pki.token}` }),
        ...(body === "" ? {} : { "Content-Length": Buffer.byteLength(body) }),
        ...headers,
      },
    });
    request.on("response", resolve);
    request.on("error", reject);
    request.end(body);
  });
}

async function ask(path: string, options: Parameters<typeof open>[1] = {}): Promise<Answer> {
  const response = await open(path, options);
  let text = "";
  for await (const chunk of response) text += chunk;
  const isJson =
    text !== "" &&
    response.headers["content-encoding"] === undefined &&
    String(response.headers["content-type"]).startsWith("application/json");
  return {
    code: response.statusCode ?? 0,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

const json = { "Content-Type": "application/json" };
const maps = "/api/v1/namespaces/default/configmaps";

/** A watch's events as they come. */
async function watch(path: string, headers: object = {}) {
  const response = await open(path, { headers });
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const events: any[] = [];
  let rest = "";
  let over = false;
  response.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) events.push(JSON.parse(line));
  });
  response.on("close", () => {
    over = true;
  });
  return {
    response,
    events,
    over: () => over,
    said: () =>
      events.map((event) =>
        `${event.type} ${event.object.metadata?.name ?? event.object.reason ?? ""}`.trim(),
      ),
    close: () => response.destroy(),
  };
}

async function place(): Promise<string> {
  const { client } = world;
  const made = await client.create(Namespace, { metadata: { name: "", generateName: "http-" } });
  return made.metadata.name;
}

describe("strangers", () => {
  it("hear nothing, not even that the server is well", async () => {
    for (const path of ["/", "/healthz", "/livez", "/version", "/api", maps, "/nowhere"]) {
      const { code, json: status } = await ask(path, { anonymous: true });
      expect(code, path).toBe(401);
      expect(status).toEqual({
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: "Unauthorized",
        reason: "Unauthorized",
        code: 401,
      });
    }
    const wrong = await ask("/version", { anonymous: true, headers: { Authorization: "Bearer nonsense" } });
    expect(wrong.code).toBe(401);
  });

  it("are told from the administrator on one connection too", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { token } = world.pki;
    const connections = new Set<unknown>();
    agent.on("free", (socket) => connections.add(socket));
    const codes: number[] = [];
    for (const given of [token, token, `${token}x`, "nonsense", undefined, token]) {
      const headers = given === undefined ? {} : { Authorization: `Bearer ${given}` };
      codes.push((await ask("/version", { agent, anonymous: true, headers })).code);
    }
    agent.destroy();
    expect(codes).toEqual([200, 200, 401, 401, 401, 200]);
    expect(connections.size).toBe(1);
  });

  it("in browsers are sent away, with or without a visitor's credentials", async () => {
    expect((await ask(maps, { headers: { Origin: "https://evil.example" } })).code).toBe(403);
    expect((await ask(maps, { headers: { "Sec-Fetch-Site": "cross-site" } })).code).toBe(403);
    const { headers } = await ask(maps, { headers: { Origin: world.server.url } });
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });
});

describe("answers", () => {
  it("to unknown paths are those of the real server", async () => {
    expect(await ask("/nowhere")).toMatchObject({ code: 404, text: "404 page not found\n" });
    expect(await ask("/apis/no.such.group/v1/things")).toMatchObject({
      code: 404,
      text: "404 page not found\n",
    });
    expect(await ask("/openapi/v2")).toMatchObject({ code: 404 });
    expect((await ask("/api/v1/nothings")).json).toMatchObject({
      message: "the server could not find the requested resource",
      details: {},
      code: 404,
    });
    expect((await ask(maps, { method: "PUT", headers: json, body: "{}" })).json).toMatchObject({
      reason: "MethodNotAllowed",
    });
  });

  it("carry what clients look for", async () => {
    const { headers, text } = await ask(maps);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-cache, private",
    });
    expect(headers["audit-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(text.endsWith("}\n")).toBe(true);
    const yaml = await ask(maps, { headers: { Accept: "application/yaml" } });
    expect(yaml.text).toMatch(/^kind: ConfigMapList\napiVersion: v1\n/);
    const odd = await ask(maps, { headers: { Accept: "text/html" } });
    expect(odd.json).toMatchObject({ code: 406, reason: "NotAcceptable" });
    const gadgets = "/apis/contract.example.com/v1/namespaces/default/gadgets";
    expect((await ask(gadgets, { headers: { Accept: "application/vnd.kubernetes.protobuf" } })).code).toBe(
      406,
    );
    expect((await ask(maps, { headers: { Accept: "application/vnd.kubernetes.protobuf" } })).code).toBe(200);
  });

  it("refuse bodies in the API's words", async () => {
    const post = (body: string, headers: object = json, path = maps) =>
      ask(path, { method: "POST", headers, body });
    expect((await post("{bad json")).json.message).toContain(
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error:",
    );
    expect((await post("x", { "Content-Type": "text/plain" })).json).toMatchObject({
      code: 415,
      reason: "UnsupportedMediaType",
    });
    expect(
      (await post('{"apiVersion":"probe/v1","kind":"ConfigMap","metadata":{"name":"a"}}')).json.message,
    ).toBe("the API version in the data (probe/v1) does not match the expected API version (v1)");
    expect((await post('{"metadata":{"name":"a"},"data":{"a":5}}')).json).toMatchObject({
      code: 400,
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    });
    expect((await post('{"metadata":{"name":"a","namespace":"other"}}')).json.message).toBe(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
    expect((await post(`{"metadata":{"name":"${"a".repeat(4_000_000)}"}}`)).json).toMatchObject({
      code: 413,
      message: "Request entity too large: limit is 3145728",
    });
    expect(
      (
        await post(
          '{"metadata":{"name":"a"}}',
          json,
          "/apis/contract.example.com/v1/namespaces/default/gadgets",
        )
      ).json.message,
    ).toContain("Object 'Kind' is missing in");
  });

  it("tell strict clients of unknown and doubled fields, and warn the others", async () => {
    const body = '{"metadata":{"name":"dup"},"data":{"a":"1","a":"2"},"bogus":1}';
    const strict = await ask(`${maps}?fieldValidation=Strict`, { method: "POST", headers: json, body });
    expect(strict.json.message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus", duplicate field "data.a"',
    );
    const warned = await ask(`${maps}?dryRun=All`, { method: "POST", headers: json, body });
    expect(warned.code).toBe(201);
    expect(warned.headers["warning"]).toBe(
      '299 - "unknown field \\"bogus\\"", 299 - "duplicate field \\"data.a\\""',
    );
    expect(warned.json.metadata.resourceVersion).toBeUndefined();
    expect(warned.json.metadata.uid).toBeDefined();
    expect((await ask(`${maps}?fieldValidation=Odd`, { method: "POST", headers: json, body })).code).toBe(
      422,
    );
  });

  it("are packed when they are large", async () => {
    const namespace = await place();
    for (const name of ["a", "b"]) {
      await world.client.create(ConfigMap, {
        metadata: { name, namespace },
        data: { x: "y".repeat(100_000) },
      });
    }
    const { headers } = await ask(`/api/v1/namespaces/${namespace}/configmaps`, {
      headers: { "Accept-Encoding": "gzip" },
    });
    expect(headers["content-encoding"]).toBe("gzip");
    expect(Number(headers["content-length"])).toBeLessThan(10_000);
  });
});

describe("discovery", () => {
  it("comes all in one, with a hash to ask again by", async () => {
    const accept = {
      Accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
    };
    const all = await ask("/apis", { headers: accept });
    expect(all.headers["content-type"]).toBe(
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    );
    const autoscaling = all.json.items.find(
      (one: { metadata: { name: string } }) => one.metadata.name === "autoscaling",
    );
    expect(autoscaling.versions.map((one: { version: string }) => one.version)).toEqual(["v2", "v1"]);
    const again = await ask("/apis", { headers: { ...accept, "If-None-Match": all.headers.etag } });
    expect(again.code).toBe(304);
  });

  it("comes piece by piece for older clients", async () => {
    expect((await ask("/api/")).json).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    expect((await ask("/apis")).json.groups[0].name).toBeDefined();
    expect((await ask("/apis/apps")).json).toMatchObject({
      kind: "APIGroup",
      preferredVersion: { groupVersion: "apps/v1" },
    });
    const { resources } = (await ask("/apis/apps/v1")).json;
    expect(resources.map((one: { name: string }) => one.name)).toContain("deployments/scale");
  });
});

describe("a list", () => {
  it("goes on where its page ended, and says how many are left", async () => {
    const namespace = await place();
    for (const name of ["a", "b", "c"])
      await world.client.create(ConfigMap, { metadata: { name, namespace } });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const first = (await ask(`${path}?limit=2`)).json;
    expect(first.metadata.remainingItemCount).toBe(1);
    const second = (await ask(`${path}?limit=2&continue=${first.metadata.continue}`)).json;
    expect(second.items.map((one: { metadata: { name: string } }) => one.metadata.name)).toEqual(["c"]);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect((await ask(`${path}?continue=rubbish`)).json).toMatchObject({ code: 400 });
    expect((await ask(`${path}?limit=abc`)).json.message).toBe(
      'strconv.ParseInt: parsing "abc": invalid syntax',
    );
  });

  it("can be asked as of a version", async () => {
    const namespace = await place();
    const made = await world.client.create(ConfigMap, { metadata: { name: "a", namespace } });
    await world.client.create(ConfigMap, { metadata: { name: "b", namespace } });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const then = (
      await ask(`${path}?resourceVersion=${made.metadata.resourceVersion}&resourceVersionMatch=Exact`)
    ).json;
    expect(then.items.map((one: { metadata: { name: string } }) => one.metadata.name)).toEqual(["a"]);
    expect((await ask(`${path}?resourceVersionMatch=Exact`)).json.message).toBe(
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    );
  });

  it("waits a little for a version from the future, then says so", async () => {
    const started = performance.now();
    const { json: status, headers } = await ask(`${maps}?resourceVersion=99999999`);
    expect(performance.now() - started).toBeGreaterThan(2_500);
    expect(status).toMatchObject({ code: 504, reason: "Timeout", details: { retryAfterSeconds: 1 } });
    expect(status.message).toMatch(/^Timeout: Too large resource version: 99999999, current: \d+$/);
    expect(headers["retry-after"]).toBe("1");
  });
});

describe("a watch", () => {
  it("sends its headers at once, then what comes", async () => {
    const namespace = await place();
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const { resourceVersion } = (await ask(path)).json.metadata;
    const stream = await watch(`${path}?watch=True&resourceVersion=${resourceVersion}`);
    expect(stream.response.statusCode).toBe(200);
    await world.client.create(ConfigMap, { metadata: { name: "a", namespace } });
    await until(() => stream.events.length === 1, "an event");
    expect(stream.events[0]).toMatchObject({
      type: "ADDED",
      object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
    });
    stream.close();
  });

  it("with initial events ends them with a bookmark", async () => {
    const namespace = await place();
    await world.client.create(ConfigMap, { metadata: { name: "a", namespace } });
    const path = `/api/v1/namespaces/${namespace}/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;
    const stream = await watch(path);
    await until(() => stream.events.length === 2, "the bookmark");
    expect(stream.events[1]).toMatchObject({
      type: "BOOKMARK",
      object: {
        kind: "ConfigMap",
        apiVersion: "v1",
        metadata: { annotations: { "k8s.io/initial-events-end": "true" } },
      },
    });
    await world.client.create(ConfigMap, { metadata: { name: "b", namespace } });
    await until(() => stream.events.length === 3, "the rest");
    expect(stream.said()).toEqual(["ADDED a", "BOOKMARK", "ADDED b"]);
    stream.close();
    const odd = await ask(path.replace("&resourceVersionMatch=NotOlderThan", ""));
    expect(odd.json).toMatchObject({ code: 422 });
    expect(odd.json.message).toContain(
      "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    );
  });

  it("from too long ago is told so, and ends", async () => {
    const namespace = await place();
    let map = await world.client.create(ConfigMap, { metadata: { name: "busy", namespace } });
    const { resourceVersion } = map.metadata;
    for (let i = 0; i < limits.historyEvents + 1; i++) {
      map = await world.client.update(ConfigMap, { ...map, data: { i: String(i) } });
    }
    const stream = await watch(`${maps}?watch=true&resourceVersion=${resourceVersion}`);
    await until(() => stream.over(), "the end");
    expect(stream.events).toMatchObject([
      { type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } },
    ]);
    expect(stream.events[0].object.message).toMatch(
      new RegExp(`^too old resource version: ${resourceVersion} \\(\\d+\\)$`),
    );
  });

  it("ends when its time is up, with a last bookmark", async () => {
    const stream = await watch(
      `${maps}?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&fieldSelector=metadata.name=none`,
    );
    await until(() => stream.over(), "the end");
    expect(stream.said()).toEqual(["BOOKMARK"]);
  });

  it("in tables has its columns in the first event only", async () => {
    const namespace = await place();
    const stream = await watch(`/api/v1/namespaces/${namespace}/configmaps?watch=true`, {
      Accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    });
    for (const name of ["a", "b"]) await world.client.create(ConfigMap, { metadata: { name, namespace } });
    await until(() => stream.events.length === 2, "two events");
    expect(
      stream.events.map((event) => [event.object.kind, event.object.columnDefinitions?.length ?? null]),
    ).toEqual([
      ["Table", 3],
      ["Table", null],
    ]);
    stream.close();
  });

  it("of a reader that does not read is cut, and the server keeps its memory", async () => {
    const namespace = await place();
    const stream = await watch(`/api/v1/namespaces/${namespace}/configmaps?watch=true`);
    stream.response.pause();
    const data = { x: "y".repeat(900_000) };
    let map = await world.client.create(ConfigMap, { metadata: { name: "big", namespace }, data });
    for (let i = 0; i < 60 && !stream.over(); i++) {
      map = await world.client.update(ConfigMap, { ...map, data: { x: `${i}${data.x}` } });
      const figures = (await ask("/metrics")).text;
      if (figures.includes("watches_cut_total 1")) break;
    }
    expect((await ask("/metrics")).text).toContain("drydock_apiserver_watches_cut_total 1");
    stream.close();
  });
});

describe("a deletion", () => {
  it("answers with the Status of success, or with what is left", async () => {
    const namespace = await place();
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const made = await world.client.create(ConfigMap, { metadata: { name: "a", namespace } });
    // kn sends the resource's own version with its options.
    const body = JSON.stringify({
      kind: "DeleteOptions",
      apiVersion: "serving.knative.dev/v1",
      propagationPolicy: "Background",
    });
    expect((await ask(`${path}/a`, { method: "DELETE", headers: json, body })).json).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "a", kind: "configmaps", uid: made.metadata.uid },
    });
    await world.client.create(ConfigMap, { metadata: { name: "b", namespace } });
    const marked = await ask(`${path}/b?propagationPolicy=Foreground`, { method: "DELETE" });
    expect(marked.json).toMatchObject({
      kind: "ConfigMap",
      metadata: { finalizers: ["foregroundDeletion"], deletionGracePeriodSeconds: 0 },
    });
  });

  it("of many honours selectors and lists what went", async () => {
    const namespace = await place();
    for (const name of ["a", "b"]) {
      await world.client.create(ConfigMap, { metadata: { name, namespace, labels: { is: name } } });
    }
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const { json: gone } = await ask(`${path}?labelSelector=is%3Da`, { method: "DELETE" });
    expect(gone).toMatchObject({ kind: "ConfigMapList", items: [{ metadata: { name: "a" } }] });
    expect((await ask(path)).json.items.length).toBe(1);
    expect((await ask("/api/v1/namespaces", { method: "DELETE" })).json).toMatchObject({ code: 405 });
  });
});
