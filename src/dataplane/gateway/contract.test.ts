// The header fields that a platform promises to a model, and those that it keeps from it.
import { connect as connectH2 } from "node:http2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ask,
  echo,
  endpoints,
  plain,
  sendRaw,
  service,
  tableFor,
  World,
} from "../../../test/dataplane/testing.js";
import { compileRoutes } from "./compile.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

async function seen(
  headers: Readonly<Record<string, string>>,
  rule: object = {},
): Promise<NodeJS.Dict<string>> {
  const { port } = await world.start(tableFor([await world.pod(echo)], { rule }));
  return JSON.parse((await ask(port, { headers })).body).headers;
}

/** The request as the pod got it, to the byte. */
async function onTheWire(text: string): Promise<string> {
  let got = "";
  const pod = await world.rawPod((socket) =>
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
      if (got.includes("\r\n\r\n")) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    }),
  );
  const { port } = await world.start(tableFor([pod]));
  await sendRaw(port, text, 100);
  return got;
}

describe("the way a request came", () => {
  it("is added to what earlier hops have said", async () => {
    const told = await seen({
      "x-forwarded-for": "10.0.0.9",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "front.example",
      forwarded: "for=10.0.0.9;proto=https",
    });
    expect(told).toMatchObject({
      "x-forwarded-for": "10.0.0.9, 127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "front.example",
      forwarded: "for=10.0.0.9;proto=https, for=127.0.0.1;host=model.test;proto=http",
    });
  });

  it("is what a route says it is, when it says so", async () => {
    const rule = { headers: { request: { set: { "X-Forwarded-Proto": "https" }, remove: ["forwarded"] } } };
    const told = await seen({ "x-forwarded-proto": "ftp", forwarded: "for=1" }, rule);
    expect(told).toMatchObject({ "x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1" });
    expect(told).not.toHaveProperty("forwarded");
  });
});

describe("a trace", () => {
  const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  it("goes on as it came", async () => {
    const told = await seen({ traceparent: good, tracestate: "a=b" });
    expect(told).toMatchObject({ traceparent: good, tracestate: "a=b" });
  });

  it("begins here when there is none or no valid one, without the state of another", async () => {
    const made = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/;
    const told = await Promise.all([
      seen({}),
      seen({ traceparent: "nonsense", tracestate: "a=b", "x-kept": "yes" }),
      seen({ traceparent: "" }),
    ]);
    for (const { traceparent, tracestate } of told) {
      expect(traceparent).toMatch(made);
      expect(tracestate).toBeUndefined();
    }
    expect(told[1]?.["x-kept"]).toBe("yes");
  });

  it("is another for each request", async () => {
    const { port } = await world.start(tableFor([await world.pod(echo)]));
    const ids = new Set<string>();
    for (let count = 0; count < 50; count += 1)
      ids.add(JSON.parse((await ask(port)).body).headers.traceparent);
    expect(ids.size).toBe(50);
  });

  it("named twice is none", async () => {
    const got = await onTheWire(
      `GET / HTTP/1.1\r\nHost: model.test\r\ntraceparent: ${good}\r\ntraceparent: ${good}\r\n\r\n`,
    );
    expect(got.match(/traceparent: 00-/g)).toHaveLength(1);
    expect(got).not.toContain(good);
  });
});

describe("what is between two hops alone", () => {
  it("goes no further, nor does what Connection names", async () => {
    const got = await onTheWire(
      "GET / HTTP/1.1\r\nHost: model.test\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=9\r\nTE: trailers\r\nTrailer: X\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nX-Yours: 2\r\n\r\n",
    );
    expect(got).toContain("X-Yours: 2\r\n");
    expect(got).not.toMatch(/x-mine|keep-alive|^te:|^trailer:|proxy-|upgrade|http2-settings|^connection/im);
  });

  const answer =
    "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Mine\r\nConnection: X-Other\r\nX-Mine: 1\r\nx-other: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: h2c\r\nX-Yours: 2\r\nX-Mine-Too: 3\r\nContent-Length: 2\r\n\r\nok";

  it("goes no further on the way back", async () => {
    const { port } = await world.start(tableFor([await world.saying(answer)]));
    const got = await sendRaw(port, "GET / HTTP/1.1\r\nHost: model.test\r\n\r\n", 100);
    expect(got).toMatch(/\r\nX-Yours: 2\r\nX-Mine-Too: 3\r\n/i);
    expect(got).not.toMatch(/^(x-mine|x-other|te|trailer|upgrade|proxy-connection):|timeout=9/im);
    // What it says of the client's own connection is ours.
    expect(got.match(/^connection:.*$/gim)).toHaveLength(1);
    expect(got).toMatch(/^connection: keep-alive\r$/im);
  });

  it("goes no further on the way back over HTTP/2", async () => {
    const { port } = await world.start(tableFor([await world.saying(answer)]));
    const session = connectH2(`http://127.0.0.1:${port}`);
    world.atEnd(() => session.destroy());
    const stream = session.request({ ":authority": "model.test" });
    const headers = await new Promise<object>((resolve, reject) =>
      stream.on("response", resolve).on("error", reject),
    );
    expect(headers).toMatchObject({ ":status": 200, "x-yours": "2", "x-mine-too": "3" });
    for (const hidden of ["x-mine", "x-other", "te", "trailer", "upgrade", "connection", "keep-alive"])
      expect(headers).not.toHaveProperty(hidden);
    expect(headers).not.toHaveProperty("proxy-connection");
  });

  it("is not confused by fields that only begin alike", async () => {
    const got = await onTheWire(
      "GET / HTTP/1.1\r\nHost: model.test\r\nHosts: a\r\nTEA: b\r\nExpects: c\r\nConnections: d\r\nContent-Lengths: 5\r\nTransfer-Encodings: e\r\n\r\n",
    );
    for (const line of ["Hosts: a", "TEA: b", "Expects: c", "Connections: d", "Content-Lengths: 5"])
      expect(got).toContain(`${line}\r\n`);
  });

  it("never includes raw bytes: every line is written anew", async () => {
    const got = await onTheWire(
      "GET / HTTP/1.1\r\nHost:model.test\r\nA:1\r\nB:  2  \r\nC:\t3\r\nD:\r\nE: caf\xe9\r\n\r\n",
    );
    for (const line of ["Host: model.test", "A: 1", "B: 2", "C: 3", "D: ", "E: caf\xe9"])
      expect(got).toContain(`\r\n${line}\r\n`);
  });
});

describe("Knative's own fields", () => {
  it("stay outside the model, but for those that it is promised", async () => {
    const told = await seen({
      "k-proxy-request": "activator",
      "k-network-hash": "override",
      "knative-serving-revision": "forged",
      "knative-serving-namespace": "forged",
      "knative-serving-tag": "blue",
      "knative-serving-default-route": "true",
    });
    for (const hidden of [
      "k-proxy-request",
      "k-network-hash",
      "knative-serving-revision",
      "knative-serving-namespace",
    ])
      expect(told).not.toHaveProperty(hidden);
    expect(told).toMatchObject({ "knative-serving-tag": "blue", "knative-serving-default-route": "true" });
  });

  it("choose a route by tag", async () => {
    const [blue, green] = [
      await world.pod(echo),
      await world.pod((_request, response) => response.end("green")),
    ];
    const rules = [
      {
        match: [{ headers: { "Knative-Serving-Tag": { exact: "blue" } } }],
        route: [{ destination: { host: "blue" } }],
      },
      { route: [{ destination: { host: "green" } }] },
    ];
    const { table } = compileRoutes({
      virtualServices: [
        {
          metadata: { name: "tagged", namespace: "default" },
          spec: { ...plain("t", ["model.test"], {}).spec, http: rules },
        },
      ],
      services: [service("blue"), service("green")],
      endpoints: [endpoints("blue", [blue]), endpoints("green", [green])],
    });
    const { port } = await world.start(table);
    expect((await ask(port)).body).toBe("green");
    const tagged = await ask(port, { headers: { "KNATIVE-serving-tag": "blue" } });
    expect(JSON.parse(tagged.body).headers["knative-serving-tag"]).toBe("blue");
  });
});
