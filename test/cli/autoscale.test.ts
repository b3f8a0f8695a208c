// `drydock autoscale --replay`: what it prints, draws and refuses.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { root } from "../sources.js";
import { drydock } from "./fake.js";

const folder = mkdtempSync(join(tmpdir(), "autoscale-"));
afterAll(() => rmSync(folder, { recursive: true }));

function trace(text: string): string {
  const file = join(folder, "trace.csv");
  writeFileSync(file, text);
  return file;
}

const step = "seconds,rps\n0,0\n100,1000\n160,0\n";

test("prints each change with its cause, and a summary", async () => {
  const { code, out } = await drydock([
    "autoscale",
    "--replay",
    trace(step),
    "--container-concurrency",
    "10",
  ]);
  expect(code).toBe(0);
  expect(out).toMatch(/^TIME +RPS +IN FLIGHT +HELD +PODS +READY +ACTIVE +BECAUSE$/m);
  expect(out).toMatch(/^0:01:40 +1000 .* 1 +\d+ +(True|Unknown) +concurrency [\d.]+ at target 7$/m);
  expect(out).toMatch(/panic: concurrency [\d.]+ at target 7/);
  expect(out).toMatch(/replayed: at most \d+ pods, [\d.]+ on average, asleep [\d.]+ % of the time/);
});

test("a day is replayed in seconds, and drawn", async () => {
  const svg = join(folder, "day.svg");
  const beganMs = performance.now();
  const { code, out } = await drydock([
    "autoscale",
    "--replay",
    join(root, "examples/traffic-day.csv"),
    "--set",
    "target=10",
    "--svg",
    svg,
  ]);
  expect([code, performance.now() - beganMs < 10_000]).toEqual([0, true]);
  expect(out).toContain("24:0");
  const drawn = readFileSync(svg, "utf8");
  expect(drawn).toMatch(/^<svg .*<\/svg>\n$/s);
  expect(drawn.length).toBeLessThan(500_000);
});

test("says every second as JSON", async () => {
  const { out } = await drydock([
    "autoscale",
    "--replay",
    trace("seconds,concurrency\n0,5\n60,0\n"),
    "-o",
    "json",
  ]);
  const seconds = JSON.parse(out) as { second: number; replicas: number; active: string }[];
  expect(seconds[30]).toMatchObject({ second: 30, load: 5, concurrency: 5, replicas: 1, active: "True" });
  expect(seconds.at(-1)).toMatchObject({ replicas: 0, active: "False" });
});

test.each([
  ["no head", "0,5\n", 'its first line must be "seconds,concurrency" or "seconds,rps"'],
  ["no rows", "seconds,rps\n", "it has no rows"],
  ["no numbers", "seconds,rps\n0,many\n", 'line 2 is not two numbers: "0,many"'],
  ["time that goes back", "seconds,rps\n5,1\n4,1\n", "line 3 is earlier than the line before it"],
  ["a year", "seconds,rps\n31536000,1\n", "line 2 is beyond a week (604800 seconds)"],
])("a trace with %s is refused", async (_name, text, because) => {
  const { code, err } = await drydock(["autoscale", "--replay", trace(text)]);
  expect([code, err]).toEqual([1, expect.stringContaining(`${because}.\n`)]);
});

test.each([
  [
    ["--set", "windw=5s"],
    '"windw" is neither an annotation nor a key of config-autoscaler. Known: class, metric',
  ],
  [["--set", "window=5s"], "expected 6s <= 5s <= 1h0m0s: autoscaling.knative.dev/window"],
  [["--set", "max-scale-up-rate=1"], "max-scale-up-rate = 1, must be greater than 1.0"],
  [["--set", "window"], '"window" is not KEY=VALUE'],
  [["--service-time", "soon"], 'invalid --service-time "soon": write a duration such as 100ms or 2s.'],
])("%o is refused", async (options, because) => {
  const { code, err } = await drydock(["autoscale", "--replay", trace(step), ...options]);
  expect([code, err]).toEqual([2, expect.stringContaining(because)]);
});
