// Pods whose containers end while the network says nothing of it: sockets stay open, and nobody is at their other end.
import { createServer as createH2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, endpoints, plain, portOf, service, World } from "../../../test/dataplane/testing.js";
import { livesAnnotation } from "../../domain/apis/core/endpoints.types.js";
import { compileRoutes } from "./compile.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

const pod = "model-private-pod-0";

/** One pod; `life` is the container that runs in it. */
function table(port: number, life: string | undefined, ready = true, appProtocol?: string) {
  const behind = endpoints("model-private", ready ? [port] : [], "http", ready ? 0 : 1);
  const annotations = life === undefined ? {} : { [livesAnnotation]: JSON.stringify({ [pod]: life }) };
  return compileRoutes({
    virtualServices: [
      plain("model", ["model.test"], { route: [{ destination: { host: "model", port: { number: 80 } } }] }),
    ],
    services: [service("model", 80, "http", appProtocol === undefined ? {} : { appProtocol })],
    endpoints: [{ ...behind, metadata: { ...behind.metadata, annotations } }],
    revisions: [{ metadata: { name: "model", namespace: "default" }, spec: {} }],
  }).table;
}

/** Answers `/soon` after a while, and nothing else ever. */
const silent = () =>
  world.pod((request, response) => {
    if (request.url === "/soon") setTimeout(() => response.end("done"), 600);
  });

describe("a pod whose container ended", () => {
  it.each([
    ["and is to be started again", undefined],
    ["and runs again already", "second"],
  ])("%s: what it had comes back at once, and says why", async (_, next) => {
    const port = await silent();
    const { gateway, port: front } = await world.start(table(port, "first"));
    const asked = [ask(front), ask(front, { method: "POST", body: "x" })];
    await expect.poll(() => gateway.stats().inFlight).toBe(2);
    const began = performance.now();
    gateway.update(table(port, next, next !== undefined));
    for (const { status, headers, body } of await Promise.all(asked)) {
      expect(status).toBe(502);
      expect(headers["x-drydock-reason"]).toBe("PodBroken");
      expect(body).toMatch(
        /pod model-private-pod-0 at .* of revision default\/model broke off: its container has ended/,
      );
    }
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("is not asked again for a request that it had over a connection kept from before", async () => {
    let asked = 0;
    const port = await world.pod((_request, response) => {
      asked += 1;
      if (asked === 1) response.end("kept");
    });
    const { gateway, port: front } = await world.start(table(port, "first"));
    expect((await ask(front)).body).toBe("kept");
    const second = ask(front);
    await expect.poll(() => asked).toBe(2);
    gateway.update(table(port, "second"));
    expect((await second).status).toBe(502);
    expect(asked).toBe(2);
  });

  it("has its last answer read to the end by a client that is slow", async () => {
    const size = 8 * 1024 * 1024;
    const port = await world.pod((_, response) => {
      response.writeHead(200, { "content-length": String(size) });
      response.end(Buffer.alloc(size, "x"));
    });
    const { gateway, port: front } = await world.start(table(port, "first"));
    const client: Socket = connect(front, "127.0.0.1");
    world.atEnd(() => client.destroy());
    client.write("GET / HTTP/1.1\r\nHost: model.test\r\nConnection: close\r\n\r\n");
    await new Promise((resolve) => client.once("readable", resolve));
    gateway.update(table(port, undefined, false));
    await pause(700);
    let got = 0;
    for await (const chunk of client) got += (chunk as Buffer).length;
    expect(got).toBeGreaterThan(size);
  });

  it("over HTTP/2 too", async () => {
    const server = createH2();
    const streams: unknown[] = [];
    server.on("stream", (stream) => void streams.push(stream));
    server.on("session", (session) => world.atEnd(() => session.destroy()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    world.atEnd(() => server.close());
    const port = portOf(server);
    const h2c = "kubernetes.io/h2c";
    const { gateway, port: front } = await world.start(table(port, "first", true, h2c));
    const asked = ask(front);
    await expect.poll(() => streams.length).toBe(1);
    gateway.update(table(port, undefined, false, h2c));
    expect(await asked).toMatchObject({
      status: 502,
      body: expect.stringContaining("its container has ended"),
    });
  });
});

describe("a pod whose container runs on", () => {
  it.each([
    ["is not ready", "first"],
    ["is not told of", undefined],
  ])("and %s finishes what it has", async (_, life) => {
    const port = await silent();
    const { gateway, port: front } = await world.start(table(port, life));
    const asked = ask(front, { path: "/soon" });
    await expect.poll(() => gateway.stats().inFlight).toBe(1);
    gateway.update(table(port, life, false));
    expect(await asked).toMatchObject({ status: 200, body: "done" });
  });
});
