// A PodRuntime whose containers are children of the test: enough to hold streams to what real clients expect.
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { PassThrough } from "node:stream";
import { type PodRuntime, PortError } from "../../src/ports/index.js";

export function fakeNode(listening: { readonly [port: number]: number } = {}): PodRuntime {
  return {
    async logs(_pod, options) {
      if (options.previous) {
        throw new PortError(
          "BadRequest",
          `previous terminated container "${options.container}" in pod "p" not found`,
        );
      }
      async function* lines() {
        const all = ["one", "two", "three"];
        for (const line of all.slice(-(options.tailLines ?? all.length))) yield Buffer.from(`${line}\n`);
      }
      return lines();
    },
    async exec(_pod, { command }) {
      const [file = "", ...args] = command;
      const child = spawn(file, args, { stdio: "pipe" });
      const sizes = new PassThrough();
      return {
        stdin: child.stdin,
        stdout: child.stdout,
        stderr: child.stderr,
        exited: new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 137))),
        resize: (width, height) => sizes.write(`${width}x${height}\n`),
        kill: () => child.kill("SIGKILL"),
      };
    },
    dial: (_pod, port) =>
      new Promise((resolve, reject) => {
        const real = listening[port];
        if (real === undefined)
          return reject(new PortError("ServiceUnavailable", `connection refused on port ${port}`));
        const socket = connect(real, "127.0.0.1");
        socket.once("connect", () => resolve(socket));
        socket.once("error", reject);
      }),
    usage: () => [
      {
        pod: { namespace: "default", name: "p", uid: "" },
        containers: [{ name: "c", cpuNanoCores: 12_000_000, memoryBytes: 5 * 1024 * 1024 }],
        atMs: 1_700_000_000_000,
        windowMs: 10_000,
      },
    ],
  };
}
