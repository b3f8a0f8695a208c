// A program that waited to become a container, beside one that was started as it: nothing may tell them apart.
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ContainerSpec, ResolvedImage, RunningContainer, Sandbox } from "../../ports/index.js";
import { systemClock } from "../clock/index.js";
import { processSandbox } from "./sandbox.js";
import { signalOne } from "./signals.js";

/** Runs the code it is given as its last argument; as a spare it is told first. */
const program = `
import { Socket } from "node:net";
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";
if (process.env.DRYDOCK_SPARE) {
  appendFileSync(process.env.SPARES, process.pid + "\\n");
  const pipe = new Socket({ fd: 3 });
  pipe.on("end", () => process.exit(0));
  const told = new Promise((resolve) => { let text = ""; pipe.on("data", (part) => { text = (text + part).trimStart(); if (text.endsWith("\\n")) resolve(JSON.parse(text)); }); });
  for (const end = Date.now() + 60; Date.now() < end; );
  pipe.write("ready\\n");
  const { argv, env, cwd } = await told;
  for (const name in process.env) delete process.env[name];
  Object.assign(process.env, env);
  process.argv.splice(0, process.argv.length, ...argv);
  process.chdir(cwd);
  await new Promise((resolve) => pipe.write("became " + Date.now() + "\\n", resolve));
  pipe.removeAllListeners("end");
  if (process.argv.at(-1).includes("/* leaves */")) pipe.unref();
  else pipe.destroy();
}
new Function("require", process.argv.at(-1))(createRequire(import.meta.url));
`;

let home: string;
let file: string;
let image: ResolvedImage;
let sandbox: Sandbox;
let counter = 0;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "programs-"));
  file = join(home, "program.mjs");
  writeFileSync(file, program);
  image = {
    reference: "drydock/test",
    digest: "drydock/test@sha256:0",
    entrypoint: [process.execPath, file],
    defaultArgs: [],
    env: { SPARES: join(home, "spares") },
    rewritesPaths: true,
    warms: true,
  };
  sandbox = await processSandbox({ runFolder: join(home, "run"), clock: systemClock() });
});
afterEach(async () => {
  await sandbox.close();
  rmSync(home, { recursive: true, force: true });
});

interface Started {
  readonly container: RunningContainer;
  readonly output: () => string;
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
}

async function start(code: string, more: Partial<ContainerSpec> = {}): Promise<Started> {
  let output = "";
  let look = () => {};
  const container = await sandbox.start({
    id: `c${++counter}`,
    pod: { namespace: "test", name: "pod", uid: "uid" },
    name: "main",
    image,
    command: [...image.entrypoint, code],
    env: {},
    workingDir: undefined,
    mounts: [],
    ports: [],
    home: join(home, "home"),
    memoryLimitBytes: undefined,
    cpuLimit: undefined,
    onOutput(_stream, chunk) {
      output += Buffer.from(chunk).toString();
      look();
    },
    ...more,
  });
  const says = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve) => {
      look = () => {
        const match = pattern.exec(output);
        if (match !== null) resolve(match);
      };
      look();
    });
  return { container, output: () => output, says };
}

function recordsOf(): readonly string[] {
  return readdirSync(join(home, "run"), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".pid"));
}

/** Whether the container's process waited for it: one that did not writes its record itself, a moment later. */
async function wasSpare({ id }: RunningContainer): Promise<boolean> {
  for (let tries = 0; tries < 500; tries++) {
    const record = recordsOf().find((name) => name.endsWith(`/${id}.pid`));
    const text = record === undefined ? "" : readFileSync(join(home, "run", record), "utf8");
    if (text !== "") {
      const pid = Number(text.split(" ")[0]);
      const env = readFileSync(`/proc/${pid}/environ`, "latin1");
      return env.split("\0").includes("DRYDOCK_SPARE=1");
    }
    await pause(10);
  }
  throw new Error(`${id} has no record`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves with the pids of spares, once so many were started and have had time to be counted as waiting. */
async function sparesStarted(count: number): Promise<readonly number[]> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const pids = readFileSync(join(home, "spares"), { encoding: "utf8", flag: "a+" })
      .split("\n")
      .filter(Boolean);
    if (pids.length >= count) {
      await pause(400);
      return pids.map(Number);
    }
    if (Date.now() > deadline) throw new Error(`${pids.length} spares were started, not ${count}`);
    await pause(20);
  }
}

/** A first start makes the program one that is in use. */
async function useOnce(): Promise<void> {
  const { container } = await start("process.exit(0)");
  await container.exited;
}

function isAlive(pid: number): boolean {
  if (!signalOne(pid, 0)) return false;
  return !/ Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
}

async function untilDead(pid: number): Promise<void> {
  for (let tries = 0; isAlive(pid); tries++) {
    if (tries > 500) throw new Error(`process ${pid} is still there`);
    await pause(10);
  }
}

describe.runIf(process.platform === "linux").each([
  ["started for it", false],
  ["that waited for it", true],
] as const)("a container whose process was one %s", (_way, isWarm) => {
  async function begin(code: string, more: Partial<ContainerSpec> = {}): Promise<Started> {
    if (isWarm) {
      await useOnce();
      await sparesStarted(2);
    }
    const started = await start(`${code}\n;setInterval(() => {}, 1000);`, more);
    expect(await wasSpare(started.container)).toBe(isWarm);
    return started;
  }

  it("has exactly the given environment, arguments, folder and descriptors", async () => {
    const env = { A: "1", "host-headers": "it's\n$x ü", DRYDOCK_MODEL: "/m" };
    const show =
      "process.stdout.write(JSON.stringify([process.env, process.argv.slice(2, -1), process.cwd(), require('fs').existsSync('/proc/self/fd/3') && require('fs').readlinkSync('/proc/self/fd/3').startsWith('socket')])); process.stdout.write('.')";
    const { container, says, output } = await begin("", {
      env,
      command: [...image.entrypoint, "two words", "a'b\n", "", `${show};setInterval(() => {}, 1000)`],
    });
    await says(/\.$/);
    const [seen, args, cwd, isOpen] = JSON.parse(output().slice(0, -1));
    expect(seen).toEqual({
      ...env,
      SPARES: image.env["SPARES"],
      DRYDOCK_CONTAINER: container.id,
      DRYDOCK_INSTANCE: expect.any(String),
      HOME: join(home, "home"),
      LANG: expect.any(String),
      PATH: process.env["PATH"],
      TMPDIR: join(home, "home", "tmp"),
    });
    expect(args).toEqual(["two words", "a'b\n", ""]);
    expect(cwd).toBe(join(home, "home"));
    expect(isOpen).toBe(false);
  });

  it("finds its mounts, and reads end of file from its input", async () => {
    writeFileSync(join(home, "model"), "iris");
    const { says } = await begin("", {
      command: [
        ...image.entrypoint,
        "/mnt/models/model",
        "process.stdin.on('end', () => console.log(require('fs').readFileSync(process.argv.at(-2)) + ' over')).resume();setInterval(() => {}, 1000)",
      ],
      mounts: [{ containerPath: "/mnt/models", hostPath: home, readOnly: true }],
    });
    await says(/iris over/);
  });

  it("tells its exit code, after all it said", async () => {
    const { container, output } = await begin(
      "console.log('last words'); setTimeout(() => process.exit(7), 50)",
    );
    expect(await container.exited).toMatchObject({ exitCode: 7, signal: undefined, oomKilled: false });
    expect(output()).toBe("last words\n");
  });

  it("gets SIGTERM and time to finish", async () => {
    const { container, says } = await begin(
      "process.on('SIGTERM', () => { console.log('bye'); process.exit(4) }); console.log('up')",
    );
    await says(/up/);
    expect((await container.stop(5_000)).exitCode).toBe(4);
  });

  it("is killed when its grace is over", async () => {
    const { container, says } = await begin("process.on('SIGTERM', () => {}); console.log('up')");
    await says(/up/);
    expect(await container.stop(100)).toMatchObject({ exitCode: 137, signal: 9 });
  });

  it("takes its children with it, those that left its group too", async () => {
    const { container, says } = await begin(
      "const { spawn } = require('child_process'); const run = (detached) => spawn('sleep', ['300'], { detached, stdio: 'ignore' }).pid; console.log('pids ' + run(false) + ' ' + run(true))",
    );
    const [, one, other] = await says(/pids (\d+) (\d+)/);
    await container.kill();
    await untilDead(Number(one));
    await untilDead(Number(other));
  });

  it("is killed when it uses more memory than its limit", async () => {
    const { container } = await begin(
      "const a = []; setInterval(() => a.push(Buffer.alloc(8 << 20, 1)), 10)",
      {
        memoryLimitBytes: 200 * 1024 * 1024,
      },
    );
    expect(await container.exited).toMatchObject({ exitCode: 137, signal: 9, oomKilled: true });
  });

  it("runs commands in its surroundings", async () => {
    const { container } = await begin("", { env: { A: "1" } });
    const session = await container.exec({
      command: ["/bin/sh", "-c", 'echo "$A $PWD"; env | grep -c DRYDOCK_SPARE'],
      stdin: false,
      tty: false,
    });
    let output = "";
    session.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    await session.exited;
    expect(output).toBe(`1 ${join(home, "home")}\n0\n`);
  });
});

describe.runIf(process.platform === "linux")("programs that wait", () => {
  it("are none before their program was used, and two afterwards", async () => {
    await pause(700);
    expect(recordsOf()).toEqual([]);
    await useOnce();
    await sparesStarted(2);
    expect(recordsOf().filter((name) => name.includes("spare-"))).toHaveLength(2);
  });

  it("are not used for what must be told at the start", async () => {
    await useOnce();
    await sparesStarted(2);
    const { container } = await start("setInterval(() => {}, 1000)", {
      env: { NODE_OPTIONS: "--no-warnings" },
    });
    expect(await wasSpare(container)).toBe(false);
  });

  it("are not used once their program is another", async () => {
    await useOnce();
    const before = await sparesStarted(2);
    utimesSync(file, 1, 1);
    const { container } = await start("setInterval(() => {}, 1000)");
    expect(await wasSpare(container)).toBe(false);
    for (const pid of before) await untilDead(pid);
  });

  it("are not missed when they have died, or do not answer", async () => {
    await useOnce();
    const [one, other] = await sparesStarted(2);
    signalOne(one!, "SIGKILL");
    signalOne(other!, "SIGSTOP");
    const { container, output } = await start("console.log('here'); process.exit(3)");
    expect((await container.exited).exitCode).toBe(3);
    expect(output()).toBe("here\n");
    await untilDead(other!);
  });

  it("are not charged to who they become", async () => {
    const burn = "for (const end = Date.now() + 1500; Date.now() < end; );";
    writeFileSync(file, program.replace("for (const end = Date.now() + 60; Date.now() < end; );", burn));
    await useOnce();
    await sparesStarted(1);
    await pause(1_800);
    const { container } = await start("setInterval(() => {}, 1000)");
    expect(await wasSpare(container)).toBe(true);
    for (let tries = 0; container.usage() === undefined && tries < 200; tries++) await pause(50);
    const { cpuNanoCores, windowMs } = container.usage()!;
    expect((cpuNanoCores / 1e9) * windowMs).toBeLessThan(1_000);
  });

  it("end with the sandbox, one that is still loading too", async () => {
    await useOnce();
    const pids = await sparesStarted(2);
    await sandbox.close();
    for (const pid of pids) await untilDead(pid);
  });

  it("are none where none are wanted", async () => {
    await sandbox.close();
    sandbox = await processSandbox({ runFolder: join(home, "run"), clock: systemClock(), spares: 0 });
    await useOnce();
    await pause(700);
    expect(recordsOf().filter((name) => name.includes("spare-"))).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("one that says that it ends", () => {
  it("has ended for whoever waits before its process is gone, output and all", async () => {
    await useOnce();
    const [first] = await sparesStarted(2);
    const { container, output } = await start(
      `/* leaves */ const fs = require("fs"); fs.writeSync(2, "x".repeat(50_000) + "done"); fs.closeSync(1); fs.closeSync(2); fs.writeSync(3, "exit 7\\n"); for (;;);`,
    );
    const { exitCode, signal, oomKilled } = await container.exited;
    expect({ exitCode, signal, oomKilled }).toEqual({ exitCode: 7, signal: undefined, oomKilled: false });
    expect(output()).toHaveLength(50_004);
    // It goes on for ever if it is let: the group is ended all the same, and forgotten.
    await untilDead(first!);
    await expect.poll(() => recordsOf().some((name) => name.endsWith(`/${container.id}.pid`))).toBe(false);
  });

  it("is believed no further than that: killed before its word, it was killed", async () => {
    await useOnce();
    await sparesStarted(2);
    const { container, says } = await start(
      `/* leaves */ process.stdout.write("up"); setInterval(() => {}, 1000);`,
    );
    await says(/up/);
    container.kill();
    expect(await container.exited).toMatchObject({ exitCode: 137 });
  });
});

describe.runIf(process.platform === "linux")("programs that nobody has started yet", () => {
  it("wait when they are known to be wanted", async () => {
    sandbox.warm?.(image);
    await sparesStarted(2);
    const { container, says } = await start("console.log('here');setInterval(() => {}, 1000);");
    expect(await wasSpare(container)).toBe(true);
    await says(/here/);
  });

  it("become what they are told, stirred or not", async () => {
    sandbox.warm?.(image);
    await sparesStarted(2);
    sandbox.stir?.({ ...image, env: {} });
    sandbox.stir?.(image);
    sandbox.stir?.({ ...image, digest: "drydock/other@sha256:0" });
    const { container, says } = await start(
      "console.log('argv', process.argv.length);setInterval(() => {}, 1000);",
    );
    expect(await wasSpare(container)).toBe(true);
    await says(/argv 3/);
  });
});
