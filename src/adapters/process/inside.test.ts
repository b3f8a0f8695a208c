import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { InsideProgram, Sandbox } from "../../ports/index.js";
import { systemClock } from "../clock/index.js";
import { processSandbox } from "./sandbox.js";

let home: string;
let sandbox: Sandbox;
let output: string;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "inside-"));
  output = "";
  sandbox = await processSandbox({ runFolder: join(home, "run"), clock: systemClock() });
});
afterEach(async () => {
  await sandbox.close();
  rmSync(home, { recursive: true, force: true });
});

function start(inside: InsideProgram, words: readonly string[] = ["/models"]) {
  const entrypoint = [process.execPath, "-p", "'a process'"];
  return sandbox.start({
    id: "c1",
    pod: { namespace: "test", name: "pod", uid: "uid" },
    name: "init",
    image: {
      ...{ reference: "drydock/test", digest: "drydock/test@sha256:0", entrypoint, defaultArgs: [] },
      ...{ env: { OF_IMAGE: "yes" }, rewritesPaths: true, inside },
    },
    command: [...entrypoint, ...words],
    env: { PLACE: "/models/x" },
    workingDir: undefined,
    mounts: [{ containerPath: "/models", hostPath: join(home, "volume"), readOnly: false }],
    ports: [],
    home: join(home, "home"),
    memoryLimitBytes: undefined,
    cpuLimit: undefined,
    onOutput: (stream, chunk) => {
      output += `${stream}: ${Buffer.from(chunk).toString()}`;
    },
  });
}

describe("a container without a process", () => {
  it("is told what a process would be told, and ends as one", async () => {
    let told: unknown;
    const container = await start(async (args, env) => {
      told = [args, env["OF_IMAGE"], env["PLACE"], env["HOME"]];
      return async ({ say }) => {
        say("one");
        say("two");
        return 3;
      };
    });
    const exit = await container.exited;
    expect(exit).toMatchObject({ exitCode: 3, signal: undefined, oomKilled: false });
    expect(exit.finishedAtMs).toBeGreaterThanOrEqual(exit.startedAtMs);
    const volume = join(home, "volume");
    expect(told).toEqual([[volume], "yes", `${volume}/x`, join(home, "home")]);
    expect(output).toBe("stderr: one\nstderr: two\n");
    expect(container.usage()).toBeUndefined();
    await expect(container.exec({ command: ["true"], stdin: false, tty: false })).rejects.toMatchObject({
      reason: "BadRequest",
    });
  });

  it.each(["stop", "kill"] as const)("hears of a %s", async (how) => {
    const container = await start(
      async () =>
        ({ signal }) =>
          new Promise((end) => signal.addEventListener("abort", () => end(143))),
    );
    expect(await container[how](30_000)).toMatchObject({ exitCode: 143 });
  });

  it("is ended, and waited for, when all ends", async () => {
    let isOver = false;
    await start(
      async () =>
        ({ signal }) =>
          new Promise((end) =>
            signal.addEventListener("abort", () =>
              setTimeout(() => {
                isOver = true;
                end(0);
              }, 20),
            ),
          ),
    );
    await sandbox.close();
    expect(isOver).toBe(true);
  });

  it("is a process where the program thinks so", async () => {
    const container = await start(async () => undefined);
    expect(await container.exited).toMatchObject({ exitCode: 0 });
    expect(output).toContain("stdout: a process");
  });
});
