// A few thousand of the cases in every run; `npm run fuzz -- --cases 100000 --seed N` runs as many as asked.
import { describe, expect, it } from "vitest";
import { lastPath, makeCase } from "./cases.js";
import { Arena } from "./compare.js";

const cases = Number(process.env["DRYDOCK_FUZZ_CASES"] ?? 2_000);
const seed = Number(process.env["DRYDOCK_FUZZ_SEED"] ?? 20_260_101);
const only = process.env["DRYDOCK_FUZZ_ONLY"];
const asked = process.env["DRYDOCK_FUZZ_CASES"] !== undefined || only !== undefined;
const together = 128;

/** Each case has an address of its own, which only Linux gives for the asking. */
const onLinux = process.platform === "linux";

describe.skipIf(!onLinux)("bytes of every kind (skipped where 127.1.0.0/16 is not loopback)", () => {
  it(`split into requests as llhttp splits them, or are refused (seed ${seed}, ${cases} cases)`, async () => {
    const arena = await Arena.open(process.env["DRYDOCK_GATEWAY_HTTP"] === "node" ? "node" : "net");
    const numbers = only === undefined ? Array.from({ length: cases }, (_, at) => at) : [Number(only)];
    const tally = { requests: 0, referenced: 0, whole: 0, same: 0, statuses: new Map<string, number>() };
    const wrong: string[] = [];
    const heap: number[] = [];
    const began = performance.now();
    const lane = async () => {
      for (;;) {
        const number = numbers.shift();
        if (number === undefined || wrong.length >= 10) return;
        const one = makeCase(seed, number);
        const compared = await arena.compare(one);
        if (compared.wrong !== undefined) {
          const head = JSON.stringify(one.bytes.toString("latin1", 0, 500));
          wrong.push(`case ${number} of seed ${seed}: ${compared.wrong}\n  ${head}`);
        }
        if (only !== undefined) console.log(JSON.stringify(compared, undefined, 1).slice(0, 8_000));
        tally.requests += compared.ours.length;
        tally.referenced += compared.theirs.length;
        if (compared.ours.some(({ target }) => target === lastPath)) tally.whole += 1;
        if (compared.ours.length === compared.theirs.length) tally.same += 1;
        const status = compared.answer.split(" ")[1] ?? "none";
        tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
        if (number % 5_000 === 0) heap.push(Math.round(process.memoryUsage().rss / 2 ** 20));
      }
    };
    await Promise.all(Array.from({ length: together }, lane));
    await expect.poll(() => arena.stats().inFlight).toBe(0);
    await expect.poll(() => arena.stats().connections, { timeout: 10_000 }).toBe(0);
    await arena.close();
    if (asked) {
      const seconds = (performance.now() - began) / 1000;
      const statuses = [...tally.statuses].sort().map(([status, count]) => `${status}: ${count}`);
      console.log(
        [
          `seed ${seed}: ${cases} cases in ${seconds.toFixed(0)} s`,
          `llhttp saw ${tally.referenced} requests, a model behind our front ${tally.requests}`,
          `the same number in ${tally.same} cases, the last of all in ${tally.whole}`,
          `first answers: ${statuses.join(", ")}`,
          `resident memory over the run, MiB: ${heap.join(" ")}`,
          `split differently: ${wrong.length}`,
        ].join("\n"),
      );
    }
    expect(wrong).toEqual([]);
    // A front that refuses everything would pass all the above.
    if (only === undefined) expect(tally.requests).toBeGreaterThan(tally.referenced * 0.6);
    if (heap.length > 6)
      expect(Math.max(...heap.slice(-3))).toBeLessThan(Math.max(...heap.slice(1, 4)) * 1.5);
  }, 3_600_000);
});
