// Networks made ahead, judged by what an engine is asked to do: how many, when, for whom, and until when.
import { expect, it } from "vitest";
import { fakeClock } from "../../../test/world/clock.js";
import type { EngineApi } from "./api.js";
import { labelsOf } from "./labels.js";
import { spareKinds, spareRefillMs, sparesUnusedMs } from "./limits.js";
import { networkSpares } from "./networkSpares.js";

function world({ each = 2, refuses = false } = {}) {
  const clock = fakeClock(0);
  /** Those that run now, by id: the ports asked for. */
  const running = new Map<string, readonly number[]>();
  const renamed: string[] = [];
  let made = 0;
  const call = async (
    method: string,
    path: string,
    { body, query }: Parameters<EngineApi["call"]>[2] = {},
  ) => {
    const id = path.split("/")[2] ?? "";
    if (path === "/containers/create") {
      if (refuses) throw new Error("no room");
      made += 1;
      const { ExposedPorts } = body as { readonly ExposedPorts: object };
      running.set(
        `c${made}`,
        Object.keys(ExposedPorts).map((name) => Number.parseInt(name, 10)),
      );
      return { Id: `c${made}` };
    }
    if (method === "DELETE") running.delete(id);
    if (path.endsWith("/rename")) renamed.push(String(query?.["name"]));
    if (method === "GET" && path.startsWith("/containers/")) {
      const bound = (running.get(id) ?? []).map((port) => [
        `${port}/tcp`,
        [{ HostPort: String(port + 40_000) }],
      ]);
      return { NetworkSettings: { Ports: Object.fromEntries(bound) } };
    }
    return {};
  };
  const api = { call } as unknown as EngineApi;
  const spares = networkSpares({ api, architecture: "amd64", labels: labelsOf("test"), clock, each });
  const pod = (name: string) => ({ namespace: "default", name, uid: name });
  async function pass(ms: number): Promise<void> {
    const until = clock.now() + ms;
    for (;;) {
      for (let turn = 0; turn < 100; turn++) await Promise.resolve();
      const next = clock.nextAtMs();
      if (next === undefined || next > until) break;
      clock.moveTo(next);
      clock.runDue();
    }
    clock.moveTo(until);
  }
  return { spares, running, renamed, pod, pass, made: () => made };
}

it("the first pod finds none; two wait for the next ones, once nobody has asked for a while", async () => {
  const { spares, running, renamed, pod, pass } = world();
  expect(spares.take(pod("a"), [8080])).toBeUndefined();
  await pass(spareRefillMs - 1);
  expect(spares.take(pod("b"), [8080])).toBeUndefined();
  await pass(spareRefillMs - 1);
  expect(running.size).toBe(0);
  await pass(1);
  expect([...running.values()]).toEqual([[8080], [8080]]);
  expect(spares.take(pod("c"), [8080])).toEqual({ id: "c1", hostPorts: [48_080] });
  expect(renamed).toEqual([expect.stringMatching(/^drydock_POD_c_default_/)]);
  await pass(spareRefillMs);
  expect(running.size).toBe(3);
  await spares.close();
  expect([...running.keys()]).toEqual(["c1"]);
});

it("ports are given in the order of those asked for, and those of two containers alike not at all", async () => {
  const { spares, running, pod, pass } = world();
  spares.take(pod("a"), [9000, 8080]);
  spares.take(pod("a"), [8080, 8080]);
  await pass(spareRefillMs);
  expect(running.size).toBe(2);
  expect(spares.take(pod("b"), [8080, 9000])?.hostPorts).toEqual([48_080, 49_000]);
});

it("kinds are bounded, and one that nobody asks for any more goes", async () => {
  const { spares, running, pod, pass } = world();
  for (let port = 1; port <= spareKinds + 1; port++) {
    spares.take(pod("a"), [port]);
    await pass(spareRefillMs);
  }
  expect(running.size).toBe(2 * spareKinds);
  expect([...running.values()]).not.toContainEqual([1]);
  await pass(sparesUnusedMs);
  expect(running.size).toBe(0);
});

it("none where none are wanted, and an engine that cannot is not asked again and again", async () => {
  const none = world({ each: 0 });
  none.spares.take(none.pod("a"), [8080]);
  await none.pass(spareRefillMs);
  expect(none.made()).toBe(0);
  const full = world({ refuses: true });
  full.spares.take(full.pod("a"), [8080]);
  await full.pass(60_000);
  expect(full.running.size).toBe(0);
  await full.spares.close();
});
