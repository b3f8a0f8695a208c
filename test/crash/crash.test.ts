// A few rounds of `npm run crash`, which says what is done and what must hold.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { runtimes } from "../../src/adapters/runtimes/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const installed = process.env["DRYDOCK_TEST_RUNTIMES"] ?? `${root}.drydock/test-home`;
const withinMs = 240_000;

beforeAll(async () => {
  await runtimes({ home: installed }).ensure("onnx");
}, 300_000);

test.runIf(process.platform === "linux")(
  "killed at any moment: no acknowledged write is lost, no process outlives it, it serves again",
  async () => {
    // Every way of dying once and more; the seed is fixed so that a failure here is the same one next time.
    const run = spawn(process.execPath, [`${root}test/crash/run.mjs`, "--rounds", "7", "--seed", "100"]);
    let said = "";
    for (const stream of [run.stdout, run.stderr]) stream.on("data", (text: Buffer) => (said += text));
    const code = await new Promise((resolve) => run.once("close", resolve));
    expect(code, said).toBe(0);
    expect(said).toMatch(/ acknowledged, 0 lost/);
    expect(said).toMatch(/orphans +0$/m);
  },
  withinMs,
);
