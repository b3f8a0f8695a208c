import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bindLightly } from "./bindLightly.js";

const { bind } = AsyncResource.prototype;
beforeAll(() => bindLightly());
afterAll(() => {
  AsyncResource.prototype.bind = bind;
});

describe("a function bound to a resource", () => {
  it("runs in the scope the resource was made in, with what it is called with", () => {
    const storage = new AsyncLocalStorage<string>();
    const resource = storage.run("inside", () => new AsyncResource("test"));
    const seen = resource.bind(function (this: unknown, ...heard: number[]) {
      return [storage.getStore(), this, heard];
    });
    expect(storage.run("outside", () => seen.call("me", 1, 2))).toEqual(["inside", "me", [1, 2]]);
  });

  it("has the object it was bound with", () => {
    const seen = AsyncResource.bind(
      function (this: unknown, heard: number) {
        return [this, heard];
      },
      "test",
      "bound",
    );
    expect(seen(3)).toEqual(["bound", 3]);
  });

  it("is what the static forms make too", () => {
    const storage = new AsyncLocalStorage<string>();
    const seen = storage.run("inside", () => AsyncResource.bind(() => storage.getStore()));
    expect(seen()).toBe("inside");
    expect(storage.run("inside", () => AsyncLocalStorage.bind(() => storage.getStore()))()).toBe("inside");
  });

  it("is forgotten by a collection of young objects", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as (how: { type: "minor" }) => void;
    const young = () => {
      // Only what survives twice is held.
      for (let time = 0; time < 3; time += 1) collect({ type: "minor" });
      return process.memoryUsage().heapUsed;
    };
    const keptBy = (make: () => unknown) => {
      const before = young();
      for (let index = 0; index < 10_000; index += 1) make();
      return (young() - before) / 10_000;
    };
    const kept = [1, 2, 3, 4, 5].map(() => keptBy(() => new AsyncResource("test").bind(() => {})));
    // A collection of everything may come in between, but not each time. Node's own keeps about a kilobyte.
    expect(kept.sort((one, other) => one - other)[2]).toBeLessThan(100);
  });
});
