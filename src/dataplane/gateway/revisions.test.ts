import { createServer } from "node:http";
import { connect as connectH2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, endpoints, plain, portOf, service, World } from "../../../test/dataplane/testing.js";
import { heldRequestBytes } from "../activator/limits.js";
import { compileRoutes } from "./compile.js";
import { movedPods } from "./endpoints.js";
import type { RevisionInput } from "./inputs.js";
import type { RouteTable } from "./table.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

const virtualServices = [
  plain("model", ["model.test"], { route: [{ destination: { host: "model", port: { number: 80 } } }] }),
];

function table(
  ports: readonly number[],
  { spec = {}, rule = {} }: { readonly spec?: RevisionInput["spec"]; readonly rule?: object } = {},
  before?: RouteTable,
): RouteTable {
  return compileRoutes(
    {
      virtualServices:
        Object.keys(rule).length === 0
          ? virtualServices
          : [
              plain("model", ["model.test"], {
                route: [{ destination: { host: "model", port: { number: 80 } } }],
                ...rule,
              }),
            ],
      services: [service("model")],
      // The public ones name the gateway: dialled, the request would go round for ever.
      endpoints: [endpoints("model", [1]), endpoints("model-private", ports)],
      revisions: [{ metadata: { name: "model", namespace: "default" }, spec }],
    },
    before,
  ).table;
}

describe("a Revision", () => {
  it("is its private Endpoints and its own limits, the same object while they say the same", () => {
    const first = table([4001], {
      spec: { containerConcurrency: 2, timeoutSeconds: 7, idleTimeoutSeconds: 0 },
    });
    expect(first.revisions).toMatchObject([
      {
        key: "default/model",
        targets: [{ address: "127.0.0.1:4001" }],
        settings: {
          containerConcurrency: 2,
          timeoutMs: 7_000,
          idleMs: undefined,
          responseStartMs: undefined,
        },
      },
    ]);
    const services = [service("model")];
    const private_ = [endpoints("model-private", [4001])];
    const compiled = (containerConcurrency: number, before?: RouteTable) =>
      compileRoutes(
        {
          virtualServices,
          services,
          endpoints: private_,
          revisions: [{ metadata: { name: "model", namespace: "default" }, spec: { containerConcurrency } }],
        },
        before,
      ).table;
    const one = compiled(1);
    expect(compiled(1, one).revisions[0]).toBe(one.revisions[0]);
    expect(compiled(2, one).revisions[0]?.settings?.containerConcurrency).toBe(2);
  });

  it("wakes: requests wait for its first pod, and the timing says so", async () => {
    const cold = table([]);
    const told: string[] = [];
    const { gateway, port } = await world.start(cold, {}, (stats) =>
      told.push(...stats.map(({ name, podName }) => `${name} ${podName}`)),
    );
    const waiting = Promise.all(
      Array.from({ length: 20 }, () => ask(port, { headers: { "x-drydock-timing": "1" } })),
    );
    await expect.poll(() => gateway.stats().inFlight).toBe(20);
    expect(told).toEqual(["model activator"]);
    gateway.update(table([await world.pod((_, response) => response.end("up"))], {}, cold));
    const heard = await waiting;
    expect(new Set(heard.map(({ body }) => body))).toEqual(new Set(["up"]));
    expect(heard[0]!.headers["server-timing"]).toMatch(
      /^gateway;dur=[\d.]+, hold;dur=[\d.]+, pod;dur=[\d.]+, cold;desc="model-private-pod-0"$/,
    );
    expect(gateway.metrics()).toContain(
      'drydock_revision_hold_seconds_count{namespace="default",revision="model"} 20',
    );
    expect(gateway.metrics()).toContain(
      'drydock_revision_cold_first_byte_seconds_count{namespace="default",revision="model"} 20',
    );
  });

  it("has its pods before the table says so, and no longer", async () => {
    const asleep = table([]);
    const { port, gateway } = await world.start(asleep);
    const now = (...ports: number[]) => movedPods(asleep, endpoints("model-private", ports));
    const waiting = ask(port);
    await expect.poll(() => gateway.stats().inFlight).toBe(1);
    gateway.move(movedPods(asleep, endpoints("other-private", [1])));
    gateway.move(now(await world.pod((_, response) => response.end("up"))));
    expect((await waiting).body).toBe("up");
    expect((await ask(port)).body).toBe("up");
    gateway.move(now());
    const held = ask(port);
    await expect.poll(() => gateway.stats().inFlight).toBe(1);
    gateway.move(now(await world.pod((_, response) => response.end("another"))));
    expect((await held).body).toBe("another");
  });

  it("takes one at a time where it says so", async () => {
    let now = 0;
    let most = 0;
    const model = () =>
      world.pod((_, response) => {
        now += 1;
        most = Math.max(most, now);
        setTimeout(() => {
          now -= 1;
          response.end();
        }, 5);
      });
    const { port } = await world.start(table([await model()], { spec: { containerConcurrency: 1 } }));
    const heard = await Promise.all(Array.from({ length: 40 }, () => ask(port)));
    expect(heard.every(({ status }) => status === 200)).toBe(true);
    expect(most).toBe(1);
  });

  it("tells who cannot wait any more: the queue is full", async () => {
    const cold = table([]);
    const { port } = await world.start(cold, {}, () => {}, {
      hold: { perRevision: 1, overall: { count: 10, bytes: 1_000_000 } },
    });
    void ask(port).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 30));
    const full = await ask(port);
    expect(full).toMatchObject({
      status: 503,
      headers: { "x-drydock-reason": "QueueFull", "retry-after": "1" },
      body: expect.stringContaining("pending request queue full"),
    });
  });
});

describe("a place to wait in", () => {
  const cold = () => table([]);
  const queued = (gateway: { metrics(): string }) =>
    Number(/^drydock_revision_queued\{[^}]*\} (\d+)$/m.exec(gateway.metrics())?.[1] ?? -1);

  it("is free again when its client leaves, over either protocol", async () => {
    const asleep = cold();
    const { gateway, port } = await world.start(asleep);
    const socket = connect(port, "127.0.0.1", () =>
      socket.write("GET / HTTP/1.1\r\nHost: model.test\r\n\r\n"),
    );
    const session = connectH2(`http://127.0.0.1:${port}`);
    world.atEnd(() => session.destroy());
    const stream = session.request({ ":authority": "model.test" }).on("error", () => {});
    const staying = ask(port);
    await expect.poll(() => queued(gateway), { interval: 5 }).toBe(3);
    socket.destroy();
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => queued(gateway), { interval: 5 }).toBe(1);
    expect(gateway.stats().inFlight).toBe(1);
    let reached = 0;
    const pod = await world.pod((_request, response) => {
      reached += 1;
      response.end("up");
    });
    gateway.update(table([pod], {}, asleep));
    expect((await staying).body).toBe("up");
    expect([reached, queued(gateway), gateway.stats().inFlight]).toEqual([1, 0, 0]);
  });

  it("takes what its body holds too, and is refused when that is too much", async () => {
    const hold = { perRevision: 100, overall: { count: 100, bytes: 5 * heldRequestBytes } };
    const asleep = cold();
    const { gateway, port } = await world.start(asleep, {}, undefined, { hold });
    const held = [ask(port), ask(port), ask(port)];
    await expect.poll(() => queued(gateway), { interval: 5 }).toBe(3);
    const large = () => ask(port, { method: "POST", body: "x".repeat(2 * heldRequestBytes) });
    const heard = await large();
    expect(heard).toMatchObject({
      status: 503,
      headers: { "x-drydock-reason": "QueueFull", "retry-after": "1" },
      body: expect.stringContaining("pending request queue full: 3 requests wait"),
    });
    // Who asks for less still finds room, to the last byte of it.
    held.push(ask(port, { method: "POST", body: "x".repeat(heldRequestBytes) }));
    await expect.poll(() => queued(gateway), { interval: 5 }).toBe(4);
    expect((await ask(port)).status).toBe(503);
    const pod = await world.pod((request, response) => request.resume().on("end", () => response.end("up")));
    gateway.update(table([pod], {}, asleep));
    expect((await Promise.all(held)).map(({ body }) => body)).toEqual(["up", "up", "up", "up"]);
    // What they took is given back.
    gateway.update(cold());
    const again = large();
    await expect.poll(() => queued(gateway), { interval: 5 }).toBe(1);
    gateway.update(table([pod], {}, asleep));
    expect((await again).body).toBe("up");
  });
});

describe("limits of a Revision", () => {
  async function late(spec: RevisionInput["spec"], pod: number, rule = {}) {
    const { port } = await world.start(table([pod], { spec, rule }));
    const began = performance.now();
    const heard = await ask(port).catch((error: Error) => error);
    return { heard, tookMs: performance.now() - began };
  }
  const silent = () => world.pod(() => {});

  it.each([
    [{ timeoutSeconds: 0.3 }, "RevisionTimeout", "activator request timeout: timeoutSeconds"],
    [{ responseStartTimeoutSeconds: 0.3 }, "ResponseStartTimeout", "responseStartTimeoutSeconds (0.3 s)"],
    [{ idleTimeoutSeconds: 0.3 }, "IdleTimeout", "idleTimeoutSeconds (0.3 s)"],
  ])("%j passes before an answer begins", async (spec, reason, words) => {
    const { heard, tookMs } = await late(spec, await silent());
    expect(heard).toMatchObject({ status: 504, headers: { "x-drydock-reason": reason } });
    expect((heard as { body: string }).body).toContain(words);
    expect(tookMs).toBeGreaterThan(295);
    expect(tookMs).toBeLessThan(400);
  });

  it("timeoutSeconds cuts an answer that has begun, and the client notices", async () => {
    const drip = await world.pod((_, response) => {
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    });
    const { heard, tookMs } = await late({ timeoutSeconds: 0.3, idleTimeoutSeconds: 0.2 }, drip);
    expect(heard).toBeInstanceOf(Error);
    expect(tookMs).toBeGreaterThan(295);
  });

  it("idleTimeoutSeconds counts from the last byte", async () => {
    const stops = await world.pod((_, response) => {
      response.write("a");
      setTimeout(() => response.write("b"), 200);
    });
    const { heard, tookMs } = await late({ idleTimeoutSeconds: 0.3 }, stops);
    expect(heard).toBeInstanceOf(Error);
    expect(tookMs).toBeGreaterThan(495);
    expect(tookMs).toBeLessThan(600);
  });

  it("responseStartTimeoutSeconds leaves alone what has begun", async () => {
    const slow = await world.pod((_, response) => {
      response.write("a");
      setTimeout(() => response.end("b"), 400);
    });
    const { heard } = await late({ responseStartTimeoutSeconds: 0.2 }, slow);
    expect(heard).toMatchObject({ status: 200, body: "ab" });
  });

  it("the route's timeout remains", async () => {
    const { heard } = await late({}, await silent(), { timeout: "0.2s" });
    expect(heard).toMatchObject({ status: 504, body: expect.stringContaining("upstream request timeout") });
  });

  it("end a WebSocket at the smallest of them", async () => {
    const server = createServer();
    server.on("upgrade", (_request, socket: Socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      const timer = setInterval(() => socket.write("tick"), 20);
      socket.on("close", () => clearInterval(timer));
      socket.on("error", () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    world.atEnd(() => server.close());
    const { port } = await world.start(table([portOf(server)], { spec: { idleTimeoutSeconds: 0.3 } }));
    const began = performance.now();
    const got = await new Promise<string>((resolve) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () =>
        socket.write(
          "GET / HTTP/1.1\r\nHost: model.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n",
        ),
      );
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(text));
    });
    const tookMs = performance.now() - began;
    expect(got).toContain("101");
    expect(got).toContain("tick");
    expect(tookMs).toBeGreaterThan(295);
    expect(tookMs).toBeLessThan(450);
  });
});
