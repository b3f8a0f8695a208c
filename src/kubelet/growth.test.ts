import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as real } from "node:timers/promises";
import { expect, it } from "vitest";
import { fakeClock } from "../../test/world/index.js";
import { watchGrowth } from "./growth.js";
import { growthEveryMs } from "./limits.js";

it("tells of growth anywhere below the folder, and of nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "drydock-growth-"));
  const clock = fakeClock();
  const abort = new AbortController();
  let told = 0;
  const watching = watchGrowth(folder, clock, abort.signal, () => {
    told += 1;
  });
  const look = async () => {
    // The folder is read for real: wait until the watcher waits for the clock again.
    for (let tries = 0; clock.nextAtMs() === undefined && tries < 500; tries++) await real(2);
    clock.moveTo(clock.now() + growthEveryMs);
    clock.runDue();
    await real(0);
    for (let tries = 0; clock.nextAtMs() === undefined && tries < 500; tries++) await real(2);
  };
  await look();
  expect(told).toBe(0);
  await mkdir(join(folder, "model"));
  await writeFile(join(folder, "model", "weights"), "some");
  await look();
  expect(told).toBe(1);
  await look();
  expect(told).toBe(1);
  await writeFile(join(folder, "model", "weights"), "some more");
  await look();
  expect(told).toBe(2);
  abort.abort();
  await watching;
  await rm(folder, { recursive: true });
});
