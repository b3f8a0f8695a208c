import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ContainerSpec, ResolvedImage, RunningContainer, Sandbox } from "../../ports/index.js";
import { systemClock } from "../clock/index.js";
import { launch } from "./launch.js";
import { processTable } from "./processTable.js";
import { processSandbox } from "./sandbox.js";
import { signalOne } from "./signals.js";

const onLinux = process.platform === "linux";
const image: ResolvedImage = {
  reference: "drydock/host",
  digest: "drydock/host@sha256:0",
  entrypoint: [],
  defaultArgs: [],
  env: {},
  rewritesPaths: true,
};

let home: string;
let sandbox: Sandbox;
let counter = 0;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "sandbox-"));
  sandbox = await processSandbox({ runFolder: join(home, "run"), clock: systemClock() });
});
afterEach(async () => {
  await sandbox.close();
  await rm(home, { recursive: true, force: true });
});

interface Started {
  readonly container: RunningContainer;
  readonly output: () => string;
  /** Resolves with the first match in the output. */
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
    command: ["/bin/sh", "-c", code],
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

const node = (code: string): Partial<ContainerSpec> => ({ command: [process.execPath, "-e", code] });

/** SIGKILL is asynchronous: a process is gone a moment after it was told. */
async function untilDead(pid: number): Promise<void> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const stat = onLinux ? await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "") : "";
    if (!signalOne(pid, 0) || / Z /.test(stat)) return;
    if (Date.now() > deadline) throw new Error(`process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("what a container gets", () => {
  // The first starts take the shells that were waiting, later ones in a hurry find none.
  it("has exactly the given environment, however it was started", async () => {
    process.env["SECRET_OF_OURS"] = "x";
    const env = { A: "1", stat: "2", "host-headers": "it's\n$x", DRYDOCK_MODEL: "/m" };
    const show = "process.stdout.write(JSON.stringify([process.env,process.argv.slice(1),process.cwd()]))";
    const command = [process.execPath, "-e", show, "two words", "a'b\n", ""];
    const all = await Promise.all(Array.from({ length: 4 }, () => start("", { command, env })));
    delete process.env["SECRET_OF_OURS"];
    for (const { container, output } of all) {
      expect((await container.exited).exitCode).toBe(0);
      const [seen, args, cwd] = JSON.parse(output());
      expect(seen).toEqual({
        ...env,
        DRYDOCK_CONTAINER: container.id,
        DRYDOCK_INSTANCE: expect.any(String),
        HOME: join(home, "home"),
        LANG: expect.any(String),
        PATH: process.env["PATH"],
        TMPDIR: join(home, "home", "tmp"),
      });
      expect(args).toEqual(["two words", "a'b\n", ""]);
      expect(cwd).toBe(join(home, "home"));
    }
  });

  it("finds its mounts where its arguments and environment name them", async () => {
    const real = join(home, "volume");
    await mkdir(real);
    await writeFile(join(real, "model"), "iris");
    const { container, output } = await start("", {
      command: ["/bin/sh", "-c", 'cat "$1" "$FILE"', "sh", "/mnt/models/model"],
      env: { FILE: "/mnt/models/model" },
      mounts: [{ containerPath: "/mnt/models", hostPath: real, readOnly: true }],
    });
    await container.exited;
    expect(output()).toBe("irisiris");
  });

  it("reads end of file from its input", async () => {
    const { container, output } = await start("cat; echo over");
    await container.exited;
    expect(output()).toBe("over\n");
  });

  it.each([
    [
      "a program that does not exist",
      { command: ["no-such-program"] },
      'exec: "no-such-program": executable file not found in $PATH',
    ],
    [
      "a path that does not exist",
      { command: ["/no/such"] },
      'exec: "/no/such": stat /no/such: no such file or directory',
    ],
    [
      "a working directory that does not exist",
      { workingDir: "/no/where" },
      'chdir to cwd ("/no/where") failed: no such file or directory',
    ],
  ])("cannot start with %s", async (_name, more, message) => {
    await expect(start("true", more)).rejects.toThrow(message);
  });
});

describe("how a container ends", () => {
  it("tells its exit code", async () => {
    const { container } = await start("exit 3");
    expect(await container.exited).toMatchObject({ exitCode: 3, signal: undefined, oomKilled: false });
  });

  it("gets SIGTERM and time to finish", async () => {
    const { container, says, output } = await start(
      'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.05; done',
    );
    await says(/up/);
    const exit = await container.stop(5_000);
    expect(exit.exitCode).toBe(7);
    expect(output()).toContain("bye");
  });

  it("is killed when its grace is over", async () => {
    const { container, says } = await start('trap "" TERM; echo up; while :; do sleep 0.05; done');
    await says(/up/);
    const exit = await container.stop(150);
    expect(exit).toMatchObject({ exitCode: 137, signal: 9, oomKilled: false });
    expect(exit.finishedAtMs - exit.startedAtMs).toBeLessThan(5_000);
  });

  it("can be told to hurry", async () => {
    const { container, says } = await start('trap "" TERM; echo up; while :; do sleep 0.05; done');
    await says(/up/);
    void container.stop(60_000);
    expect((await container.stop(50)).exitCode).toBe(137);
  });

  it("takes its children and grandchildren with it", async () => {
    const { container, says } = await start("(sleep 300 & echo pid $!; sleep 300) & echo up; wait");
    const pid = Number((await says(/pid (\d+)/))[1]);
    await container.kill();
    await untilDead(pid);
  });

  it("takes those with it that outlive the main process and hold the output", async () => {
    const { container, says } = await start("sleep 300 & echo pid $!; exit 0");
    const pid = Number((await says(/pid (\d+)/))[1]);
    expect((await container.exited).exitCode).toBe(0);
    await untilDead(pid);
  });

  it.runIf(onLinux)("takes those with it that left its process group", async () => {
    const code =
      'const c=require("child_process").spawn("sleep",["300"],{detached:true,stdio:"ignore"});console.log("pid "+c.pid);setTimeout(()=>process.exit(0),50)';
    const { container, says } = await start("", node(code));
    const pid = Number((await says(/pid (\d+)/))[1]);
    await container.exited;
    await untilDead(pid);
  });

  it("is killed when it uses more memory than its limit", async () => {
    const grow = "const a=[];setInterval(()=>a.push(Buffer.alloc(8<<20,1)),10)";
    const { container } = await start("", { ...node(grow), memoryLimitBytes: 150 * 1024 * 1024 });
    expect(await container.exited).toMatchObject({ exitCode: 137, signal: 9, oomKilled: true });
  });
});

describe("commands beside a container", () => {
  it("run in its surroundings, with input, output and exit code", async () => {
    const { container } = await start("sleep 300", { env: { A: "1" } });
    const session = await container.exec({
      command: ["/bin/sh", "-c", 'read x; echo "$A $x"; exit 5'],
      stdin: true,
      tty: false,
    });
    session.stdin?.end("input\n");
    let output = "";
    session.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    expect(await session.exited).toBe(5);
    expect(output).toBe("1 input\n");
  });

  it("say that there is no terminal", async () => {
    const { container } = await start("sleep 300");
    const session = await container.exec({ command: ["echo", "hi"], stdin: false, tty: true });
    let output = "";
    session.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    await session.exited;
    expect(output).toMatch(/without a terminal.*\r\nhi\n/);
  });

  it("end with the container", async () => {
    const { container } = await start("sleep 300");
    const session = await container.exec({ command: ["sleep", "300"], stdin: false, tty: false });
    await container.kill();
    expect(await session.exited).toBe(137);
  });
});

describe("after a crash", () => {
  /** In place of a spare: a shell that goes on only when told. */
  function stopped(script: string): ChildProcess {
    return spawn("/bin/sh", ["-c", `kill -s STOP $$\n${script}`], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      cwd: "/",
      env: {},
    });
  }

  /** A Drydock of its own process, to be killed. */
  async function supervisor(code: string): Promise<{ child: ChildProcess; pid: number }> {
    const { buildSupervisor } = await import("../../../test/kubelet/supervisor.js");
    return buildSupervisor(home, code);
  }

  it("leaves no process when Drydock is killed with SIGKILL", async () => {
    const { child, pid } = await supervisor("sleep 300 & echo pid $!; wait");
    child.kill("SIGKILL");
    await untilDead(pid);
  });

  it.runIf(onLinux)("sweeps what the reaper could not, but never a pid that was reused", async () => {
    const table = processTable();
    const earlier = join(home, "run", "earlier");
    await mkdir(earlier, { recursive: true });
    const spawnBystander = (env: NodeJS.ProcessEnv = {}) =>
      spawn("sleep", ["300"], { detached: true, stdio: "ignore", env: { PATH: process.env["PATH"], ...env } })
        .pid!;
    const left = spawnBystander();
    const stranger = spawnBystander();
    const escaped = spawnBystander({ DRYDOCK_INSTANCE: "earlier" });
    const dead = { pid: 999_999, start: "1", bootId: table.bootId };
    await writeFile(join(earlier, "owner"), JSON.stringify(dead));
    await writeFile(join(earlier, "left.pid"), `${left} ${await table.startOf(left)}\n`);
    await writeFile(join(earlier, "reused.pid"), `${stranger} 12345\n`);

    expect([...(await sandbox.sweep())].sort()).toEqual(["left", "reused"]);
    await untilDead(left);
    await untilDead(escaped);
    expect(signalOne(stranger, 0)).toBe(true);
    signalOne(stranger, "SIGKILL");
    expect(existsSync(earlier)).toBe(false);
  });

  it("forgets what a sweep that was killed had ended, and leaves a life alone that has not said whose it is", async () => {
    const folder = (name: string) => join(home, "run", name);
    for (const name of ["forgotten.ending", "begins"]) await mkdir(folder(name), { recursive: true });
    expect(await sandbox.sweep()).toEqual([]);
    expect(existsSync(folder("forgotten.ending"))).toBe(false);
    expect(existsSync(folder("begins"))).toBe(true);
  });

  it("never lets a start that was under way at the crash begin after the sweep", async () => {
    const earlier = join(home, "run", "earlier");
    await mkdir(earlier, { recursive: true });
    const dead = { pid: 999_999, start: "1", bootId: processTable().bootId };
    await writeFile(join(earlier, "owner"), JSON.stringify(dead));
    // A shell that has its orders, and has not come to write its record yet.
    const began = join(home, "began");
    const shell = await launch(
      {
        argv: ["/bin/sh", "-c", `echo > '${began}'; sleep 300`],
        cwd: home,
        env: {},
        record: join(earlier, "late.pid"),
        stdin: false,
      },
      { take: stopped, close() {} },
    );
    expect(await sandbox.sweep()).toEqual([]);
    const code = new Promise((resolve) => shell.once("exit", resolve));
    const goOn = setInterval(() => signalOne(shell.pid!, "SIGCONT"), 20);
    expect(await code).toBe(126);
    clearInterval(goOn);
    expect(existsSync(began)).toBe(false);
  });

  it.runIf(onLinux)("sweeps after an owner that nobody has buried", async () => {
    const parent = spawn("/bin/sh", ["-c", "sleep 0 & echo $!; exec sleep 300"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const zombie = Number(await new Promise<Buffer>((resolve) => parent.stdout.once("data", resolve)));
    const table = processTable();
    const owner = { pid: zombie, start: await table.startOf(zombie), bootId: table.bootId };
    const earlier = join(home, "run", "earlier");
    await mkdir(earlier, { recursive: true });
    await writeFile(join(earlier, "owner"), JSON.stringify(owner));
    await vi.waitFor(async () => expect(await table.isRunning(zombie, owner.start!)).toBe(false));
    await sandbox.sweep();
    expect(existsSync(earlier)).toBe(false);
    parent.kill("SIGKILL");
  });

  it.runIf(onLinux)("does not wait for what it ended to be buried", async () => {
    const script = 'setsid sh -c "echo \\$\\$; exec sleep 300" & exec sleep 300';
    const parent = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    const left = Number(await new Promise<Buffer>((resolve) => parent.stdout.once("data", resolve)));
    const table = processTable();
    const earlier = join(home, "run", "earlier");
    await mkdir(earlier, { recursive: true });
    const dead = { pid: 999_999, start: "1", bootId: table.bootId };
    await writeFile(join(earlier, "owner"), JSON.stringify(dead));
    await writeFile(join(earlier, "left.pid"), `${left} ${await table.startOf(left)}\n`);
    const began = performance.now();
    await sandbox.sweep();
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(signalOne(left, 0)).toBe(true);
    expect((await table.rows()).some(({ pid }) => pid === left)).toBe(false);
    parent.kill("SIGKILL");
  });

  it("leaves a neighbour that is alive alone", async () => {
    const neighbour = await processSandbox({ runFolder: join(home, "run"), clock: systemClock() });
    expect(await sandbox.sweep()).toEqual([]);
    expect((await readdir(join(home, "run"))).length).toBe(2);
    await neighbour.close();
  });
});
