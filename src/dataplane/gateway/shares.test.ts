// Shares of requests, with dice that are thrown: each is what chance makes of its percentage, and of no other.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, echo, endpoints, plain, service, World } from "../../../test/dataplane/testing.js";
import { dice } from "../../../test/world/index.js";
import { readFault } from "../../domain/apis/istio/policy.parse.js";
import { compileRoutes } from "./compile.js";
import { injectFaults } from "./fault.js";
import type { RouteTable } from "./table.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

/** Within what an honest share exceeds three times in a thousand. */
function expectShare(count: number, of: number, share: number): void {
  const sigma = Math.sqrt(of * share * (1 - share));
  expect(Math.abs(count - of * share)).toBeLessThan(3 * sigma);
}

describe("faults", () => {
  const fault = readFault(
    {
      delay: { percentage: { value: 10 }, fixedDelay: "5s" },
      abort: { percentage: { value: 30 }, httpStatus: 503 },
    },
    "fault",
  );

  it("fall on their share of requests, delays and aborts apart from each other", () => {
    const random = dice(7);
    const of = 3_000;
    let [delayed, aborted, both] = [0, 0, 0];
    for (let turn = 0; turn < of; turn += 1) {
      const { delayMs, abort } = injectFaults([fault], "model.test", random);
      if (delayMs > 0) delayed += 1;
      if (abort !== undefined) aborted += 1;
      if (delayMs > 0 && abort !== undefined) both += 1;
    }
    expectShare(aborted, of, 0.3);
    expectShare(delayed, of, 0.1);
    expectShare(both, of, 0.03);
  });
});

async function startWith(rule: object, names: readonly string[], random = dice(11)) {
  const got = new Map(names.map((name) => [name, 0]));
  const pods = await Promise.all(
    names.map((name) =>
      world.pod((_request, response) => {
        got.set(name, (got.get(name) ?? 0) + 1);
        response.end(name);
      }),
    ),
  );
  const { table } = compileRoutes({
    virtualServices: [plain("model", ["model.test"], rule)],
    services: names.map((name) => service(name)),
    endpoints: names.map((name, index) => endpoints(name, [pods[index] as number])),
  });
  const started = await world.start(table, {}, undefined, undefined, random);
  return { got, ...started };
}

it("mirrors get their share of requests, and all of them are answered", async () => {
  const of = 1_000;
  const rule = {
    route: [{ destination: { host: "model" } }],
    mirrors: [{ destination: { host: "shadow" }, percentage: { value: 30 } }],
  };
  const { port, got, gateway } = await startWith(rule, ["model", "shadow"]);
  for (let turn = 0; turn < of; turn += 50)
    await Promise.all(
      Array.from({ length: 50 }, () => ask(port).then(({ body }) => expect(body).toBe("model"))),
    );
  const sent = Number(/mirrors_total\{outcome="sent"\} (\d+)/.exec(gateway.metrics())?.[1]);
  expectShare(sent, of, 0.3);
  await expect.poll(() => got.get("shadow")).toBe(sent);
  expect(got.get("model")).toBe(of);
});

it("aborts take their share over sockets too", async () => {
  const of = 1_000;
  const rule = {
    route: [{ destination: { host: "model" } }],
    fault: { abort: { percentage: { value: 30 }, httpStatus: 418 } },
  };
  const { port, got } = await startWith(rule, ["model"]);
  const statuses: number[] = [];
  for (let turn = 0; turn < of; turn += 50)
    statuses.push(
      ...(await Promise.all(Array.from({ length: 50 }, () => ask(port)))).map(({ status }) => status),
    );
  const aborted = statuses.filter((status) => status === 418).length;
  expectShare(aborted, of, 0.3);
  expect(got.get("model")).toBe(of - aborted);
});

it("a tag holds to its revision where the rest is split evenly, also when the table changes", async () => {
  const names = ["blue", "green"];
  const counted = new Map<string, number>();
  const pods = await Promise.all(names.map((name) => world.pod((_request, response) => response.end(name))));
  const table = (blue: number, before?: RouteTable) =>
    compileRoutes(
      {
        virtualServices: [
          {
            metadata: { name: "model", namespace: "default" },
            spec: {
              ...plain("model", ["model.test"], {}).spec,
              http: [
                {
                  match: [{ headers: { "Knative-Serving-Tag": { exact: "blue" } } }],
                  route: [{ destination: { host: "blue" }, weight: 100 }],
                },
                {
                  route: [
                    { destination: { host: "blue" }, weight: blue },
                    { destination: { host: "green" }, weight: 100 - blue },
                  ],
                },
              ],
            },
          },
        ],
        services: names.map((name) => service(name)),
        endpoints: names.map((name, index) => endpoints(name, [pods[index] as number])),
      },
      before,
    ).table;
  const first = table(50);
  const { port, gateway } = await world.start(first, {}, undefined, undefined, dice(5));
  const tagged = async () => {
    const heard = await Promise.all(
      Array.from({ length: 100 }, () => ask(port, { headers: { "Knative-Serving-Tag": "blue" } })),
    );
    return new Set(heard.map(({ body }) => body));
  };
  expect(await tagged()).toEqual(new Set(["blue"]));
  for (const { body } of await Promise.all(Array.from({ length: 200 }, () => ask(port))))
    counted.set(body, (counted.get(body) ?? 0) + 1);
  expectShare(counted.get("blue") ?? 0, 200, 0.5);
  // The tagged one gets nothing of the split any more; the tag is as good as before.
  const under = tagged();
  gateway.update(table(0, first));
  expect(await under).toEqual(new Set(["blue"]));
  expect(await tagged()).toEqual(new Set(["blue"]));
  expect((await ask(port)).body).toBe("green");
});

it("a request's fields may be added to, beside what its sender says", async () => {
  const headers = { request: { add: { "x-added": "route", "x-new": "1" } } };
  const { table } = compileRoutes({
    virtualServices: [
      plain("model", ["model.test"], { route: [{ destination: { host: "model" } }], headers }),
    ],
    services: [service("model")],
    endpoints: [endpoints("model", [await world.pod(echo)])],
  });
  const { port } = await world.start(table);
  const told = JSON.parse((await ask(port, { headers: { "x-added": "client" } })).body).headers;
  expect(told).toMatchObject({ "x-added": "client, route", "x-new": "1" });
});
