// Retries, faults, mirrors, CORS and changed answers over real sockets.

import { type RequestListener, request } from "node:http";
import { connect as connectH2 } from "node:http2";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, echo, endpoints, plain, service, tableFor, World } from "../../../test/dataplane/testing.js";
import { compileRoutes } from "./compile.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

/** Answers one after another; the last for good. */
function inTurn(...answers: readonly RequestListener[]): {
  readonly seen: string[];
  readonly listener: RequestListener;
} {
  const seen: string[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    const turn = answers[Math.min(seen.length, answers.length - 1)] as RequestListener;
    seen.push(request.method ?? "");
    request.on("end", () => {
      seen[seen.length - 1] = `${request.method} ${Buffer.concat(chunks).toString()}`.trim();
      turn(request, response);
    });
    request.on("error", () => {});
  };
  return { seen, listener };
}

const say =
  (status: number, body = ""): RequestListener =>
  (_request, response) => {
    response.statusCode = status;
    response.end(body);
  };
const hangUp: RequestListener = (request) => request.socket.destroy();
const never: RequestListener = () => {};

describe("retries", () => {
  const retries = { attempts: 3, retryOn: "5xx,retriable-4xx,429" };

  async function start(answers: readonly RequestListener[], rule: object = { retries }) {
    const { seen, listener } = inTurn(...answers);
    const started = await world.start(tableFor([await world.pod(listener)], { rule }));
    return { seen, ...started };
  }

  it.each<[string, readonly RequestListener[], object, object, number, readonly string[]]>([
    ["a GET that fails twice", [say(503), say(500), say(200)], {}, { retries }, 200, ["GET", "GET", "GET"]],
    ["a status that is named", [say(429), say(200)], {}, { retries }, 200, ["GET", "GET"]],
    ["a conflict", [say(409), say(200)], {}, { retries }, 200, ["GET", "GET"]],
    ["nothing that succeeds", [say(404)], {}, { retries }, 404, ["GET"]],
    [
      "a PUT with its body",
      [say(503), say(200)],
      { method: "PUT", body: "x" },
      { retries },
      200,
      ["PUT x", "PUT x"],
    ],
    ["no POST", [say(503), say(200)], { method: "POST", body: "x" }, { retries }, 503, ["POST x"]],
    [
      "a POST whose sender says so",
      [say(503), say(200)],
      { method: "POST", body: "x", headers: { "Idempotency-Key": "1" } },
      { retries },
      200,
      ["POST x", "POST x"],
    ],
    ["a connection that breaks", [hangUp, say(200)], {}, { retries }, 200, ["GET", "GET"]],
    [
      "no POST on a connection that breaks",
      [hangUp, say(200)],
      { method: "POST", body: "x" },
      { retries },
      502,
      ["POST x"],
    ],
    [
      "as often as it may, then passes on what it has",
      [say(503, "last")],
      {},
      { retries: { ...retries, attempts: 2 } },
      503,
      ["GET", "GET", "GET"],
    ],
    [
      "only what the policy names",
      [say(500), say(200)],
      {},
      { retries: { attempts: 2, retryOn: "gateway-error" } },
      500,
      ["GET"],
    ],
    [
      "what took too long for one try",
      [never, say(200)],
      {},
      { retries: { ...retries, perTryTimeout: "100ms" } },
      200,
      ["GET", "GET"],
    ],
    [
      "never past the route's own limit",
      [never],
      {},
      { retries: { ...retries, perTryTimeout: "200ms" }, timeout: "300ms" },
      504,
      ["GET", "GET"],
    ],
  ])("repeat %s", async (_name, answers, asking, rule, status, wanted) => {
    const { port, seen } = await start(answers, rule);
    const heard = await ask(port, asking);
    expect(heard.status).toBe(status);
    expect(seen).toEqual(wanted);
  });

  it("repeat any POST of a VirtualService whose author says so", async () => {
    const { seen, listener } = inTurn(say(503), say(200, "done"));
    const object = plain("model", ["model.test"], { route: [{ destination: { host: "model" } }], retries });
    const { table } = compileRoutes({
      virtualServices: [
        {
          ...object,
          metadata: { ...object.metadata, annotations: { "drydock.dev/retry-non-idempotent": "true" } },
        },
      ],
      services: [service("model")],
      endpoints: [endpoints("model", [await world.pod(listener)])],
    });
    const { port } = await world.start(table);
    expect((await ask(port, { method: "POST", body: "x" })).body).toBe("done");
    expect(seen).toEqual(["POST x", "POST x"]);
  });

  it("repeat a POST that reached nobody, and say how often", async () => {
    const dead = world.deadPort();
    const { port } = await world.start(tableFor([dead], { rule: { retries: { attempts: 2 } } }));
    const heard = await ask(port, { method: "POST", body: "x" });
    expect(heard.status).toBe(502);
    expect(heard.headers["x-drydock-reason"]).toBe("PodRefused");
    expect(heard.body).toContain("(tried 3 times)");
  });

  it("send nothing of an answer they decline, however long it is", async () => {
    const endless: RequestListener = (_request, response) => {
      response.statusCode = 503;
      const timer = setInterval(() => response.write("x".repeat(16_384)), 1);
      response.on("close", () => clearInterval(timer));
    };
    const { port, seen } = await start([endless, say(200, "well")]);
    expect(await ask(port)).toMatchObject({ status: 200, body: "well" });
    expect(seen).toHaveLength(2);
  });

  it("do not repeat what is too large to keep, and pass it through whole", async () => {
    const { port, seen } = await start([say(503), say(200)]);
    const body = "x".repeat(300_000);
    expect((await ask(port, { method: "PUT", body })).status).toBe(503);
    expect(seen.map((one) => one.length)).toEqual([300_004]);
  });

  it("are counted, and cost a first try nothing", async () => {
    const { port, gateway } = await start([say(503), say(200)]);
    await ask(port);
    expect(gateway.metrics()).toContain('drydock_gateway_retries_total{outcome="made"} 1\n');
    expect((await ask(port)).status).toBe(200);
    expect(gateway.metrics()).toContain('drydock_gateway_retries_total{outcome="made"} 1\n');
  });

  it("end with their client", async () => {
    const { port, seen, gateway } = await start([never], { retries: { ...retries, perTryTimeout: "60ms" } });
    const left = request({ port, host: "127.0.0.1", headers: { host: "model.test" } });
    left.on("error", () => {});
    left.end();
    await until(() => seen.length > 0);
    left.destroy();
    await until(() => gateway.stats().inFlight === 0);
    const tries = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(seen.length).toBe(tries);
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400 && !holds(); turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(holds()).toBe(true);
}

describe("faults", () => {
  const all = { value: 100 };

  it("answer in the model's place, and say so", async () => {
    const pod = inTurn(say(200));
    const rule = { fault: { abort: { percentage: all, httpStatus: 418 } } };
    const { port } = await world.start(tableFor([await world.pod(pod.listener)], { rule }));
    const heard = await ask(port);
    expect(heard).toMatchObject({ status: 418, headers: { "x-drydock-reason": "FaultInjected" } });
    expect(heard.body).toContain("fault filter abort");
    expect(pod.seen).toEqual([]);
  });

  it("answer a gRPC client with its own status", async () => {
    const rule = { fault: { abort: { percentage: all, grpcStatus: "RESOURCE_EXHAUSTED" } } };
    const { port } = await world.start(tableFor([await world.pod(echo)], { rule }));
    const session = connectH2(`http://127.0.0.1:${port}`);
    world.atEnd(() => session.destroy());
    const headers = {
      ":method": "POST",
      ":authority": "model.test",
      ":path": "/a/B",
      "content-type": "application/grpc",
    };
    const stream = session.request(headers);
    stream.end();
    const got = await new Promise<Record<string, unknown>>((resolve) => stream.on("response", resolve));
    expect(got).toMatchObject({ ":status": 200, "grpc-status": "8" });
    expect((await ask(port)).status).toBe(429);
  });

  it("hold requests back, then serve them", async () => {
    const rule = { fault: { delay: { percentage: all, fixedDelay: "120ms" } } };
    const { port } = await world.start(tableFor([await world.pod(say(200, "late"))], { rule }));
    const from = performance.now();
    expect((await ask(port)).body).toBe("late");
    expect(performance.now() - from).toBeGreaterThan(115);
  });

  it("hold nobody who has left", async () => {
    const rule = { fault: { delay: { percentage: all, fixedDelay: "1h" } } };
    const { port, gateway } = await world.start(tableFor([await world.pod(say(200))], { rule }));
    const client = connect(port, "127.0.0.1", () =>
      client.write("GET / HTTP/1.1\r\nhost: model.test\r\n\r\n"),
    );
    await expect.poll(() => gateway.stats().inFlight).toBe(1);
    client.destroy();
    await expect.poll(() => gateway.stats().inFlight).toBe(0);
  });

  it("leave those alone that no share falls on", async () => {
    const rule = {
      fault: { abort: { percentage: { value: 0 }, httpStatus: 500 }, delay: { fixedDelay: "1h" } },
    };
    const { port } = await world.start(tableFor([await world.pod(say(200))], { rule }));
    expect((await ask(port)).status).toBe(200);
  });
});

describe("mirrors", () => {
  async function mirrored(main: RequestListener, copy: number, more: object = {}) {
    const { table } = compileRoutes({
      virtualServices: [
        plain("model", ["model.test"], {
          route: [{ destination: { host: "model" } }],
          mirror: { host: "shadow" },
          ...more,
        }),
      ],
      services: [service("model"), service("shadow")],
      endpoints: [endpoints("model", [await world.pod(main)]), endpoints("shadow", [copy])],
    });
    return world.start(table);
  }

  it("get a copy of the request, marked as one", async () => {
    const copies: { host: string | undefined; body: string; url: string | undefined }[] = [];
    const copy = await world.pod((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        copies.push({ host: request.headers.host, body, url: request.url });
        response.end("ignored");
      });
    });
    const { port } = await mirrored(say(200, "real"), copy);
    expect((await ask(port, { method: "POST", path: "/p?q=1", body: "x".repeat(100_000) })).body).toBe(
      "real",
    );
    expect((await ask(port, { headers: { host: "model.test:81" } })).body).toBe("real");
    await until(() => copies.length === 2);
    expect(copies).toEqual([
      { host: "model.test-shadow", body: "x".repeat(100_000), url: "/p?q=1" },
      { host: "model.test-shadow:81", body: "", url: "/" },
    ]);
  });

  it.each<[string, () => Promise<number>]>([
    ["is dead", async () => world.deadPort()],
    ["never answers", () => world.pod(never)],
    ["breaks off", () => world.pod(hangUp)],
  ])("delay and fail nothing when the copy's pod %s", async (_name, copy) => {
    const { port, gateway } = await mirrored(say(200, "real"), await copy());
    for (let count = 0; count < 20; count += 1) {
      const from = performance.now();
      expect((await ask(port, { method: "POST", body: "x" })).body).toBe("real");
      expect(performance.now() - from).toBeLessThan(1_000);
    }
    expect(gateway.stats().requests).toBe(20);
    expect(gateway.metrics()).toContain('drydock_gateway_mirrors_total{outcome="sent"} 20\n');
  });

  it("are bounded: in number, and by what a body would take", async () => {
    const { port, gateway } = await mirrored(say(200, "real"), await world.pod(never));
    await Promise.all(Array.from({ length: 300 }, () => ask(port)));
    expect(gateway.metrics()).toContain('drydock_gateway_mirrors_total{outcome="skipped"} 44\n');
    const large = "x".repeat(1_100_000);
    const chunked = new Promise((resolve) => {
      const options = { port, host: "127.0.0.1", method: "POST", headers: { host: "model.test" } };
      const sending = request(options, (answer) =>
        answer.resume().on("end", () => resolve(answer.statusCode)),
      );
      // Without a length, as it is written before its end is known.
      sending.write(large);
      sending.end();
    });
    expect(await chunked).toBe(200);
    expect((await ask(port, { method: "POST", body: large })).body).toBe("real");
    expect(gateway.metrics()).toContain('drydock_gateway_mirrors_total{outcome="sent"} 256\n');
  });

  it("are sent to a share only", async () => {
    const { port, gateway } = await mirrored(say(200), await world.pod(say(200)), {
      mirrorPercentage: { value: 0 },
    });
    await ask(port);
    expect(gateway.metrics()).toContain('drydock_gateway_mirrors_total{outcome="sent"} 0\n');
  });
});

describe("corsPolicy", () => {
  const corsPolicy = {
    allowOrigins: [{ exact: "https://app.x" }, { regex: "https://[a-z]+\\.dev" }],
    allowMethods: ["GET", "POST"],
    allowHeaders: ["X-A", "content-type"],
    exposeHeaders: ["X-Out"],
    maxAge: "10m",
    allowCredentials: true,
  };
  const preflight = (origin: string) => ({
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST" },
  });

  async function start(policy: object = corsPolicy) {
    const pod = inTurn((_request, response) => {
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.end("pod");
    });
    const rule = { corsPolicy: policy };
    return { ...pod, ...(await world.start(tableFor([await world.pod(pod.listener)], { rule }))) };
  }

  it("answers a preflight in the pod's place", async () => {
    const { port, seen } = await start();
    const heard = await ask(port, preflight("https://ab.dev"));
    expect(heard).toMatchObject({
      status: 200,
      body: "",
      headers: {
        "access-control-allow-origin": "https://ab.dev",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "X-A,content-type",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "600",
      },
    });
    expect(seen).toEqual([]);
  });

  it("tells the browser that asks then, over what the pod says", async () => {
    const { port } = await start();
    const heard = await ask(port, { headers: { origin: "https://app.x" } });
    expect(heard).toMatchObject({
      body: "pod",
      headers: { "access-control-allow-origin": "https://app.x", "access-control-expose-headers": "X-Out" },
    });
  });

  it("leaves other origins to the pod, or answers them with nothing", async () => {
    const { port, seen } = await start();
    expect((await ask(port, preflight("https://other.x"))).headers["access-control-allow-origin"]).toBe("*");
    expect(seen).toEqual(["OPTIONS"]);
    const strict = await start({ ...corsPolicy, unmatchedPreflights: "IGNORE" });
    const heard = await ask(strict.port, preflight("https://other.x"));
    expect(heard.headers).not.toHaveProperty("access-control-allow-origin");
    expect(strict.seen).toEqual([]);
  });
});

describe("answers", () => {
  it("are changed as the route says, whoever gives them", async () => {
    const headers = { response: { set: { Server: "drydock", "x-new": "1" }, remove: ["x-secret"] } };
    const pod = await world.pod((_request, response) => {
      response.setHeader("x-secret", "s");
      response.setHeader("server", "model");
      response.end("ok");
    });
    const { port } = await world.start(tableFor([pod], { rule: { headers } }));
    const heard = await ask(port);
    expect(heard.headers).toMatchObject({ server: "drydock", "x-new": "1" });
    expect(heard.headers).not.toHaveProperty("x-secret");
  });

  it("may be the route's own", async () => {
    const { table } = compileRoutes({
      virtualServices: [
        plain("v", ["model.test"], {
          directResponse: { status: 503, body: { string: "closed for today" } },
          headers: { response: { add: { "retry-after": "60" } } },
        }),
      ],
      services: [],
      endpoints: [],
    });
    const { port } = await world.start(table);
    expect(await ask(port)).toMatchObject({
      status: 503,
      body: "closed for today",
      headers: { "retry-after": "60", "x-drydock-reason": "DirectResponse" },
    });
    expect(await ask(port, { method: "HEAD" })).toMatchObject({ status: 503, body: "" });
  });
});
