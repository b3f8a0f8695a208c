// A command beside a container's own, in the container.
import { readFileSync } from "node:fs";
import { type Duplex, PassThrough } from "node:stream";
import { type ExecSession, PortError, type SandboxExec } from "../../ports/index.js";
import type { EngineApi } from "./api.js";
import { demuxer } from "./demux.js";
import { execEndMs } from "./limits.js";

export async function execBeside(
  api: EngineApi,
  container: string,
  options: SandboxExec,
): Promise<ExecSession> {
  const { command, stdin, tty } = options;
  const { Id: id } = await api.call<{ Id: string }>("POST", `/containers/${container}/exec`, {
    body: { AttachStdin: stdin, AttachStdout: true, AttachStderr: true, Tty: tty, Cmd: command },
  });
  const stream = await api.connect(`/exec/${id}/start`, { body: { Detach: false, Tty: tty }, writes: stdin });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const heard = pass(stream, tty, stdout, stderr);
  let wasKilled = false;

  async function end(): Promise<number> {
    await heard;
    stdout.end();
    stderr.end();
    if (wasKilled) return 137;
    const { ExitCode } = await api.call<{ ExitCode: number | null }>("GET", `/exec/${id}/json`);
    return ExitCode ?? 0;
  }

  return {
    stdin: stdin ? stream : undefined,
    stdout,
    stderr,
    // With the container gone, so is the answer to how the command ended: it was killed with it.
    exited: end().catch(() => 137),
    resize(width, height) {
      if (tty) {
        // A terminal that keeps its size is no reason to end what runs in it.
        void api.call("POST", `/exec/${id}/resize`, { query: { w: width, h: height } }).catch(() => {});
      }
    },
    kill() {
      if (wasKilled) return;
      wasKilled = true;
      void killHere(api, id, container);
      setTimeout(() => stream.destroy(), execEndMs).unref();
    },
  };
}

/** Engines cannot end a command, only forget it. Where it is a process of this machine we can, and make sure it is it. */
async function killHere(api: EngineApi, id: string, container: string): Promise<void> {
  try {
    const { Pid: pid } = await api.call<{ Pid: number }>("GET", `/exec/${id}/json`);
    if (pid > 1 && readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(container)) {
      process.kill(pid, "SIGKILL");
    }
  } catch {
    // In a virtual machine, another user's, or gone: it ends with the container at the latest.
  }
}

/** Both streams apart, slowed down by the slower reader. Settles when the command has closed them. */
function pass(stream: Duplex, tty: boolean, stdout: PassThrough, stderr: PassThrough): Promise<void> {
  const take = demuxer();
  return new Promise((resolve, reject) => {
    stream.on("data", (chunk: Buffer) => {
      const frames = tty ? [{ stream: "stdout" as const, bytes: chunk }] : take(chunk);
      for (const frame of frames) {
        const target = frame.stream === "stderr" ? stderr : stdout;
        if (target.write(frame.bytes)) continue;
        stream.pause();
        target.once("drain", () => stream.resume());
      }
    });
    stream.once("end", resolve);
    stream.once("close", resolve);
    stream.once("error", (cause) =>
      reject(new PortError("Unknown", `the command's output broke off: ${cause.message}`, { cause })),
    );
  });
}
