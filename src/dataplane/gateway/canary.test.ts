// A canary through real sockets: its share, who stays with it, and changes under clients that keep their connections.
import { Agent } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chiSquare, criticalAt999 } from "../../../test/chiSquare.js";
import { ask, endpoints, isvc, realClock, route, service, World } from "../../../test/dataplane/testing.js";
import { dice } from "../../../test/world/dice.js";
import { compileRoutes } from "./compile.js";
import { startGateway } from "./listen.js";
import type { RouteTable } from "./table.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

/** A hundred thousand by `npm run canary`; fewer where every second counts. */
const requests = Number(process.env["CANARY_REQUESTS"] ?? 3_000);
const host = "iris.default.example.com";

async function pods() {
  const seen = { stable: 0, canary: 0 };
  const stable = await world.pod((_request, response) => {
    seen.stable += 1;
    response.end("stable");
  });
  const canary = await world.pod((_request, response) => {
    seen.canary += 1;
    response.end("canary");
  });
  return { seen, stable, canary };
}

function tableOf(stable: number, canary: number, percent: number, previous?: RouteTable): RouteTable {
  return compileRoutes(
    {
      virtualServices: [
        isvc("iris"),
        route("iris-predictor", { stable: 100 - percent, canary: percent }, `hash-${percent}`),
      ],
      services: [service("stable"), service("canary")],
      endpoints: [endpoints("stable", [stable]), endpoints("canary", [canary])],
    },
    previous,
  ).table;
}

async function start(table: RouteTable) {
  const gateway = await startGateway({
    listeners: [{ name: "external", host: "127.0.0.1", port: 0 }],
    random: dice(7),
    clock: realClock,
    table,
  });
  world.atEnd(() => gateway.close({ drainMs: 0 }));
  return { gateway, port: gateway.addresses()[0]!.port };
}

function client(port: number, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  world.atEnd(() => agent.destroy());
  return () => ask(port, { headers: { host }, agent });
}

describe("a canary", () => {
  it(
    `gets its share of ${requests} requests, counted by its pods`,
    async () => {
      const { seen, stable, canary } = await pods();
      const { port } = await start(tableOf(stable, canary, 10));
      const get = client(port, 16);
      let sent = 0;
      const worker = async () => {
        while (sent < requests) {
          sent += 1;
          expect((await get()).status).toBe(200);
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      expect(seen.stable + seen.canary).toBe(requests);
      expect(chiSquare([seen.stable, seen.canary], [requests * 0.9, requests * 0.1])).toBeLessThan(
        criticalAt999[1] as number,
      );
    },
    Math.max(20_000, requests * 5),
  );

  it("takes over step by step, and no connection notices", async () => {
    const { seen, stable, canary } = await pods();
    let table = tableOf(stable, canary, 0);
    const { gateway, port } = await start(table);
    const get = client(port, 8);
    const steps = 200;
    let step = 0;
    let answered = 0;
    const worker = async () => {
      while (step < steps) {
        expect((await get()).status).toBe(200);
        answered += 1;
      }
    };
    const workers = Array.from({ length: 8 }, worker);
    // Every change a new table, up and down, ending with everything at the canary.
    while (step < steps) {
      step += 1;
      table = tableOf(stable, canary, step === steps ? 100 : (step * 37) % 101, table);
      gateway.update(table);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(workers);
    expect(gateway.stats()).toMatchObject({ connections: 8, requests: answered });
    expect(gateway.stats().byClass[2]).toBe(answered);
    const before = seen.canary;
    for (let count = 0; count < 20; count += 1) expect((await get()).body).toBe("canary");
    expect(seen.canary).toBe(before + 20);
  });
});
