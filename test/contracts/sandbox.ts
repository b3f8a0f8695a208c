// What every Sandbox must do. Run by each adapter's test; this is the only definition of a sandbox that works.
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContainerSpec, ResolvedImage, RunningContainer, Sandbox } from "../../src/ports/index.js";

export interface SandboxUnderTest {
  readonly open: () => Promise<Sandbox>;
  /** One with a shell and the usual small programs. */
  readonly image: ResolvedImage;
}

interface Started {
  readonly container: RunningContainer;
  readonly output: () => string;
  readonly errors: () => string;
  /** Resolves with the first match in the output. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
}

export function sandboxContract(name: string, make: () => Promise<SandboxUnderTest>): void {
  describe(`a sandbox: ${name}`, () => {
    let under: SandboxUnderTest;
    let sandbox: Sandbox;
    let home: string;
    let counter = 0;

    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), "sandbox-"));
      under = await make();
      sandbox = await under.open();
    }, 60_000);
    afterAll(async () => {
      await sandbox?.close();
      await rm(home, { recursive: true, force: true });
    });

    async function start(code: string, more: Partial<ContainerSpec> = {}, where = sandbox): Promise<Started> {
      const heard = { stdout: "", stderr: "" };
      let look = () => {};
      counter += 1;
      const container = await where.start({
        id: randomUUID().replaceAll("-", "").repeat(2),
        pod: { namespace: "contract", name: "pod", uid: `uid-${counter}` },
        name: "main",
        image: under.image,
        command: ["/bin/sh", "-c", code],
        env: {},
        workingDir: undefined,
        mounts: [],
        ports: [],
        home: join(home, "home"),
        memoryLimitBytes: undefined,
        cpuLimit: undefined,
        onOutput(stream, chunk) {
          heard[stream] += Buffer.from(chunk).toString();
          look();
        },
        ...more,
      });
      const says = (pattern: RegExp) =>
        new Promise<RegExpExecArray>((resolve) => {
          look = () => {
            const match = pattern.exec(heard.stdout);
            if (match !== null) resolve(match);
          };
          look();
        });
      return { container, output: () => heard.stdout, errors: () => heard.stderr, says };
    }

    const obstinate = 'trap "" TERM; echo up; while :; do sleep 0.05; done';

    it("gives a program its words and its environment as they are", async () => {
      const { container, output } = await start("", {
        command: ["/bin/sh", "-c", 'printf "%s|" "$A" "$@"', "sh", "two words", "a'b\n", "", "$A"],
        env: { A: "it's\n$x", "host-headers": "1" },
      });
      expect((await container.exited).exitCode).toBe(0);
      expect(output()).toBe("it's\n$x|two words|a'b\n||$A|");
    });

    it("gives it its mounts, to read and to write", async () => {
      const volume = await mkdtemp(join(home, "volume-"));
      await writeFile(join(volume, "model"), "iris");
      const { container, output } = await start("cat /mnt/models/model; echo done > /mnt/models/result", {
        command: ["/bin/sh", "-c", 'cat "$1/model"; echo done > "$1/result"', "sh", "/mnt/models"],
        mounts: [{ containerPath: "/mnt/models", hostPath: volume, readOnly: false }],
      });
      expect((await container.exited).exitCode).toBe(0);
      expect(output()).toBe("iris");
      expect(await readFile(join(volume, "result"), "utf8")).toBe("done\n");
    });

    it("gives it no input", async () => {
      const { container, output } = await start("cat; echo over");
      await container.exited;
      expect(output()).toBe("over\n");
    });

    it("keeps both kinds of output apart, and loses none", async () => {
      const code = "i=0; while [ $i -lt 2000 ]; do echo line $i; echo error $i >&2; i=$((i+1)); done";
      const { container, output, errors } = await start(code);
      await container.exited;
      const lines = Array.from({ length: 2_000 }, (_, at) => at);
      expect(output()).toBe(lines.map((at) => `line ${at}\n`).join(""));
      expect(errors()).toBe(lines.map((at) => `error ${at}\n`).join(""));
    });

    it("waits with reading while its listener is busy", async () => {
      let bytes = 0;
      let busy = 0;
      const { container } = await start("head -c 3000000 /dev/zero", {
        onOutput: async (_stream, chunk) => {
          busy += 1;
          expect(busy).toBeLessThan(100);
          await new Promise((resolve) => setTimeout(resolve, 1));
          busy -= 1;
          bytes += chunk.length;
        },
      });
      expect((await container.exited).exitCode).toBe(0);
      expect(bytes).toBe(3_000_000);
    });

    it.each([
      ["a program that does not exist", ["no-such-program"], "executable file not found in $PATH"],
      ["a path that does not exist", ["/no/such"], "stat /no/such: no such file or directory"],
    ])("says at once that it cannot start %s", async (_name, command, message) => {
      await expect(start("", { command })).rejects.toMatchObject({
        reason: "Invalid",
        message: expect.stringContaining(message),
      });
    });

    it("tells an exit code", async () => {
      const { container } = await start("exit 3");
      expect(await container.exited).toMatchObject({ exitCode: 3, signal: undefined, oomKilled: false });
    });

    it("asks a program to end, and gives it time", async () => {
      const { container, says, output } = await start(
        'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.05; done',
      );
      await says(/up/);
      expect((await container.stop(10_000)).exitCode).toBe(7);
      expect(output()).toContain("bye");
    });

    it("kills it when its grace is over", async () => {
      const { container, says } = await start(obstinate);
      await says(/up/);
      const exit = await container.stop(150);
      expect(exit).toMatchObject({ exitCode: 137, signal: 9, oomKilled: false });
    });

    it("can be told to hurry", async () => {
      const { container, says } = await start(obstinate);
      await says(/up/);
      void container.stop(60_000);
      expect((await container.stop(50)).exitCode).toBe(137);
    });

    it("kills what uses more memory than its limit, and says so", async () => {
      const { container } = await start("", {
        command: ["/bin/sh", "-c", "exec tail /dev/zero"],
        memoryLimitBytes: 64 * 1024 * 1024,
      });
      expect(await container.exited).toMatchObject({ exitCode: 137, signal: 9, oomKilled: true });
    });

    it("starts the next one in the place of the one before, with the same ports", async () => {
      const pod = { namespace: "contract", name: "again", uid: "uid-again" };
      const ports = [{ containerPort: 8080, hostPort: 21_000 + (Math.floor(performance.now()) % 5_000) }];
      for (let round = 0; round < 3; round++) {
        const { container } = await start("exit 1", { pod, ports });
        expect((await container.exited).exitCode).toBe(1);
      }
    });

    it("runs commands beside a container, with input, output and exit code", async () => {
      const { container } = await start("sleep 300", { env: { A: "1" } });
      const command = ["/bin/sh", "-c", 'read x; echo "$A $x"; echo no >&2; exit 5'];
      const session = await container.exec({ command, stdin: true, tty: false });
      session.stdin?.end("input\n");
      const heard = Promise.all([text(session.stdout), text(session.stderr)]);
      expect(await session.exited).toBe(5);
      expect(await heard).toEqual(["1 input\n", "no\n"]);
      await container.kill();
    });

    it("says that a command cannot be run, by rejecting or by its exit code", async () => {
      const { container } = await start("sleep 300");
      const outcome = await container
        .exec({ command: ["no-such-program"], stdin: false, tty: false })
        .then(async (session) => {
          const words = text(session.stderr);
          session.stdout.resume();
          return { code: await session.exited, words: await words };
        })
        .catch((error: Error) => ({ code: 126, words: error.message }));
      await container.kill();
      expect(outcome.code).toBeGreaterThanOrEqual(126);
      expect(outcome.words).toMatch(/no-such-program.*not found/);
    });

    it("ends commands with the container, or when told to", async () => {
      const { container } = await start("sleep 300");
      const asked = { command: ["sleep", "300"], stdin: false, tty: false };
      const first = await container.exec(asked);
      first.kill();
      expect(await first.exited).toBe(137);
      const second = await container.exec(asked);
      await container.kill();
      expect(await second.exited).toBe(137);
    });

    it("says what a container uses", async () => {
      const { container } = await start("while :; do :; done");
      const deadline = performance.now() + 15_000;
      while ((container.usage()?.cpuNanoCores ?? 0) === 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const usage = container.usage();
      await container.kill();
      expect(usage?.cpuNanoCores).toBeGreaterThan(10_000_000);
      expect(usage?.memoryBytes).toBeGreaterThan(0);
    });

    it("ends everything when it is closed, and starts nothing after", async () => {
      const other = await under.open();
      const all = await Promise.all([1, 2, 3].map(() => start(obstinate, {}, other)));
      await other.close();
      for (const { container } of all) expect((await container.exited).exitCode).toBe(137);
      await expect(start("true", {}, other)).rejects.toMatchObject({ reason: "ServiceUnavailable" });
    });
  });
}
