// Those inside go ahead of the disk: what they see, what nobody else sees, and what becomes of it when the disk fails.
import { expect, it } from "vitest";
import { memoryStore } from "../adapters/store/index.js";
import { ConfigMap } from "../domain/apis/core/config.types.js";
import { builtinKinds } from "../domain/apis/kinds.js";
import type { Client, Store, WatchEvent } from "../ports/index.js";
import { localClient } from "./localClient.js";
import { createRegistry } from "./registry/index.js";

const me = { name: "tester", groups: ["system:masters"] };
const key = (name: string) => ({ namespace: "default", name });
const map = (name: string, text: string) => ({ metadata: key(name), data: { text } });

async function world() {
  const inner = memoryStore();
  let gate: Promise<void> | undefined;
  let open: (error?: Error) => void = () => {};
  const batches: number[] = [];
  const store: Store = {
    ...inner,
    async commit(batch) {
      batches.push(batch.length);
      await gate;
      await inner.commit(batch);
    },
  };
  const clock = { now: () => 1_700_000_000_000, after: () => () => {} };
  const registry = await createRegistry({ store, clock, random: Math.random, kinds: builtinKinds });
  batches.length = 0;
  return {
    registry,
    batches,
    outside: localClient(registry, me),
    early: localClient(registry, me, { early: true, goesOn: true }),
    patient: localClient(registry, me, { early: true }),
    hold() {
      gate = new Promise((resolve, reject) => {
        open = (error) => (error === undefined ? resolve() : reject(error));
      });
      gate.catch(() => {});
    },
    release(error?: Error) {
      open(error);
      gate = undefined;
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What a watch has delivered so far, and how it ended. */
function follow(client: Client, from: string) {
  const seen: string[] = [];
  const stop = new AbortController();
  const ended = (async () => {
    for await (const event of client.watch(ConfigMap, from, stop.signal)) seen.push(said(event));
  })().catch((error: unknown) => error);
  return { seen, ended, stop: () => stop.abort() };
}

function said(event: WatchEvent<ConfigMap>): string {
  return event.type === "BOOKMARK" ? "BOOKMARK" : `${event.type} ${event.object.metadata.name}`;
}

const names = async (client: Client) =>
  (await client.list(ConfigMap, { namespace: "default" })).items.map(({ metadata }) => metadata.name).sort();

it("sees what is written while it is on its way to disk; nobody outside does", async () => {
  const { early, outside, hold, release } = await world();
  const { resourceVersion } = await early.list(ConfigMap);
  const watching = follow(early, resourceVersion);
  const outsideWatching = follow(outside, resourceVersion);
  hold();
  const made = await early.create(ConfigMap, map("a", "1"));
  await early.update(ConfigMap, { ...made, data: { text: "2" } });
  await turn();
  expect(watching.seen).toEqual(["ADDED a", "MODIFIED a"]);
  expect(await names(early)).toEqual(["a"]);
  expect((await early.get(ConfigMap, key("a")))?.data).toEqual({ text: "2" });
  expect(outsideWatching.seen).toEqual([]);
  expect(await names(outside)).toEqual([]);
  expect(await outside.get(ConfigMap, key("a"))).toBeUndefined();

  const { resourceVersion: now } = await early.list(ConfigMap);
  const later = follow(early, resourceVersion);
  const latest = follow(early, now);
  await early.delete(ConfigMap, key("a"));
  await turn();
  expect(later.seen).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
  expect(latest.seen).toEqual(["DELETED a"]);
  expect(await names(early)).toEqual([]);
  release();
  await expect.poll(() => outsideWatching.seen).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
  for (const one of [watching, outsideWatching, later, latest]) one.stop();
});

it("a chain of writes is one flush", async () => {
  const { early, registry, batches } = await world();
  const stop = new AbortController();
  const echo = (async () => {
    for await (const event of early.watch(ConfigMap, "0", stop.signal)) {
      if (event.type === "ADDED" && event.object.metadata.name === "a")
        await early.create(ConfigMap, map("b", "2"));
    }
  })();
  await early.create(ConfigMap, map("a", "1"));
  await turn();
  await registry.settled();
  expect(batches).toEqual([2]);
  stop.abort();
  await echo;
});

it("one that does not go on is told when the disk has it", async () => {
  const { early, patient, hold, release } = await world();
  hold();
  let isWritten = false;
  const write = patient.create(ConfigMap, map("a", "1")).then(() => {
    isWritten = true;
  });
  await turn();
  expect(await names(early)).toEqual(["a"]);
  expect(isWritten).toBe(false);
  release();
  await write;
});

it("when the disk fails, watches are cut, lists show what is durable, and writers wait until it is well", async () => {
  const { early, outside, hold, release, registry } = await world();
  const kept = await outside.create(ConfigMap, map("kept", "1"));
  const watching = follow(early, (await early.list(ConfigMap)).resourceVersion);
  hold();
  await early.update(ConfigMap, { ...kept, data: { text: "2" } });
  await early.create(ConfigMap, map("lost", "1"));
  await turn();
  const { resourceVersion: seenLast } = await early.list(ConfigMap);
  release(new Error("disk is full"));
  expect(await watching.ended).toMatchObject({ reason: "Expired" });
  expect(watching.seen).toEqual(["MODIFIED kept", "ADDED lost"]);
  expect(await names(early)).toEqual(["kept"]);
  expect(await early.get(ConfigMap, key("kept"))).toEqual(kept);
  // One that was away at that moment, and comes back with what it saw last.
  expect(await follow(early, seenLast).ended).toMatchObject({ reason: "Expired" });

  hold();
  const next = early.create(ConfigMap, map("next", "1"));
  await turn();
  release(new Error("disk is still full"));
  await expect(next).rejects.toThrow("disk is still full");
  await early.create(ConfigMap, map("next", "2"));
  expect(await names(outside)).toEqual(["kept", "next"]);
  expect(registry.figures().commit.trouble).toBeUndefined();
});
