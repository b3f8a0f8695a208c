// What every Store must do. Run by each adapter's test; this is the only definition of a store that works.
import { afterEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/ports/index.js";

export interface StoreUnderTest {
  /** A store on the same content as the last one opened in this test; the first is empty. */
  readonly open: () => Promise<Store>;
  readonly dispose: () => Promise<void>;
  /** Whether content outlives close. */
  readonly durable: boolean;
}

export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`a store: ${name}`, () => {
    const cleanups: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const clean of cleanups.splice(0)) await clean();
    });

    async function world(): Promise<StoreUnderTest> {
      const under = await make();
      cleanups.push(under.dispose);
      return under;
    }

    it("is empty at first, at revision 0", async () => {
      const store = await (await world()).open();
      expect(await store.load()).toEqual({ revision: 0, entries: [] });
    });

    it("loads the latest of each key, less what was deleted, and the highest revision of all", async () => {
      const { open, durable } = await world();
      const store = await open();
      await store.load();
      await store.commit([
        { key: "/pods/a/x", revision: 1, value: '{"n":1}' },
        { key: "/pods/a/y", revision: 2, value: '{"n":2}' },
      ]);
      await store.commit([{ key: "/pods/a/x", revision: 3, value: '{"n":"ü"}' }]);
      await store.commit([{ key: "/pods/a/y", revision: 4, value: undefined }]);
      const again = durable ? await reopened(store, open) : store;
      expect(await again.load()).toEqual({
        revision: 4,
        entries: [{ key: "/pods/a/x", revision: 3, value: '{"n":"ü"}' }],
      });
    });

    it("forgets history when compacted, and nothing else", async () => {
      const { open, durable } = await world();
      const store = await open();
      await store.load();
      for (let revision = 1; revision <= 50; revision++) {
        await store.commit([{ key: `/pods/a/${revision % 5}`, revision, value: `"${revision}"` }]);
      }
      await store.commit([{ key: "/pods/a/0", revision: 51, value: undefined }]);
      await store.compact(51);
      const again = durable ? await reopened(store, open) : store;
      const { revision, entries } = await again.load();
      expect(revision).toBe(51);
      expect(entries.map((entry) => entry.value).sort()).toEqual(['"46"', '"47"', '"48"', '"49"']);
    });

    it("keeps a large batch whole", async () => {
      const { open, durable } = await world();
      const store = await open();
      await store.load();
      const batch = Array.from({ length: 500 }, (_, i) => ({
        key: `/pods/a/p${i}`,
        revision: i + 1,
        value: JSON.stringify({ text: "x".repeat(2000) }),
      }));
      await store.commit(batch);
      const again = durable ? await reopened(store, open) : store;
      const content = await again.load();
      expect(content.entries.length).toBe(500);
      expect(content.revision).toBe(500);
    });

    it("refuses to commit once closed", async () => {
      const store = await (await world()).open();
      await store.load();
      await store.close();
      await expect(store.commit([{ key: "k", revision: 1, value: "1" }])).rejects.toThrow();
    });
  });
}

async function reopened(store: Store, open: () => Promise<Store>): Promise<Store> {
  await store.close();
  return open();
}
