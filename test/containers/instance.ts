// A whole Drydock in processes of its own, started by the real command and seen by the real kubectl; it can be killed.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { root } from "../sources.js";

export interface Killable {
  readonly home: string;
  readonly gatewayUrl: string;
  /** Rejects with what the command said. */
  up(): Promise<void>;
  down(): Promise<void>;
  /** The server dies at once; its gateway and its processes follow by themselves. */
  kill(): Promise<void>;
  kubectl(...words: readonly string[]): Promise<string>;
  apply(object: object): Promise<void>;
  get<T>(...words: readonly string[]): Promise<T>;
  remove(): Promise<void>;
}

export async function killableInstance(env: NodeJS.ProcessEnv = {}): Promise<Killable> {
  const home = await mkdtemp(join(tmpdir(), "drydock-killable-"));
  const [apiPort, gatewayPort] = [await freePort(), await freePort()];
  const run = promisify(execFile);
  const drydock = (...words: readonly string[]) =>
    run(process.execPath, [join(root, "bin/drydock"), ...words], {
      env: { ...process.env, DRYDOCK_SPARES: "0", ...env, DRYDOCK_HOME: home },
      cwd: home,
    });
  const kubectl = async (...words: readonly string[]) =>
    (await run("kubectl", ["--kubeconfig", join(home, "kubeconfig"), ...words], { cwd: home })).stdout;

  return {
    home,
    gatewayUrl: `http://127.0.0.1:${gatewayPort}`,
    async up() {
      const ports = ["--api-port", String(apiPort), "--gateway-port", String(gatewayPort)];
      await drydock("up", "--detach", ...ports);
    },
    async down() {
      await drydock("down");
    },
    async kill() {
      const [pid = ""] = (await readFile(join(home, "instance.lock"), "utf8")).split(" ");
      process.kill(Number(pid), "SIGKILL");
      while (await runs(pid)) await pause(5);
    },
    kubectl,
    async apply(object) {
      const applied = run("kubectl", ["--kubeconfig", join(home, "kubeconfig"), "apply", "-f", "-"], {
        cwd: home,
      });
      applied.child.stdin?.end(JSON.stringify(object));
      await applied;
    },
    get: async (...words) => JSON.parse(await kubectl("get", ...words, "-o", "json")),
    async remove() {
      await drydock("down").catch(() => {});
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A zombie has ended. */
async function runs(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}
