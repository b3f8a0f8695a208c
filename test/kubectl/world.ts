// A started API server and a real kubectl pointed at it.
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "../../src/adapters/clock/index.js";
import { memoryStore } from "../../src/adapters/store/index.js";
import { ensurePki } from "../../src/adapters/tls/index.js";
import { createRegistry, localClient, startApiServer } from "../../src/apiserver/index.js";
import type { Kind } from "../../src/domain/apis/kind.js";
import { builtinKinds } from "../../src/domain/apis/kinds.js";
import type { PodRuntime } from "../../src/ports/index.js";

/** Why kubectl tests cannot run here; undefined when they can. */
export function withoutKubectl(): string | undefined {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "kubectl is not on PATH";
  }
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export type World = Awaited<ReturnType<typeof startWorld>>;

export async function startWorld(
  more: { readonly kinds?: readonly Kind[]; readonly podRuntime?: PodRuntime } = {},
) {
  const home = mkdtempSync(join(tmpdir(), "drydock-api-"));
  const clock = systemClock();
  const pki = await ensurePki({ folder: join(home, "pki"), hosts: [], clock });
  const kinds = [...builtinKinds, ...(more.kinds ?? [])];
  const registry = await createRegistry({
    store: memoryStore(),
    clock,
    random: systemRandom,
    kinds,
    freeze: true,
  });
  const failures: string[] = [];
  const server = await startApiServer({
    registry,
    host: "127.0.0.1",
    port: 0,
    tls: { ca: pki.ca, cert: pki.server.cert, key: pki.server.key },
    auth: { token: pki.token, serviceAccountKey: pki.serviceAccountKey },
    podRuntime: more.podRuntime,
    clock,
    log: {
      info: () => {},
      error: (message, fields) => failures.push(`${message} ${JSON.stringify(fields)}`),
    },
  });
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const config = (name: string, user: object) => {
    const file = join(home, name);
    writeFileSync(
      file,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
          { name: "c", cluster: { server: server.url, "certificate-authority-data": base64(pki.ca) } },
        ],
        users: [{ name: "u", user }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
        "current-context": "x",
      }),
    );
    return file;
  };
  const kubeconfig = config("kubeconfig", {
    "client-certificate-data": base64(pki.client.cert),
    "client-key-data": base64(pki.client.key),
  });

  const environment = (env: NodeJS.ProcessEnv) => ({
    ...process.env,
    HOME: home,
    KUBECONFIG: kubeconfig,
    ...env,
  });

  function kubectl(args: string | readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    const list = typeof args === "string" ? args.split(" ") : args;
    return new Promise((resolve) => {
      const child = execFile(
        "kubectl",
        list,
        { env: environment(env), timeout: 25_000, maxBuffer: 1 << 24 },
        (error, out, err) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
          resolve({ code, out, err });
        },
      );
      child.stdin?.end(input);
    });
  }

  return {
    home,
    registry,
    server,
    pki,
    kubeconfig,
    failures,
    config,
    client: localClient(registry, { name: "test", groups: ["system:masters"] }),
    kubectl,
    /** Its output; fails the test when kubectl does. */
    async ok(args: string | readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<string> {
      const ran = await kubectl(args, input, env);
      if (ran.code !== 0) throw new Error(`kubectl ${String(args)} failed: ${ran.err}${ran.out}`);
      return ran.out;
    },
    /** A kubectl that goes on until it is told to stop. */
    background(args: string, env: NodeJS.ProcessEnv = {}) {
      const child = spawn("kubectl", args.split(" "), { env: environment(env) });
      let out = "";
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
      child.stderr.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
      return {
        said: () => out,
        stop: () => child.kill(),
      };
    },
    file(name: string, text: string): string {
      mkdirSync(join(home, "files"), { recursive: true });
      const path = join(home, "files", name);
      writeFileSync(path, text, { mode: 0o755 });
      return path;
    },
    async close() {
      await server.close();
      await registry.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export async function until(
  check: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 8_000,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > endMs) throw new Error(`gave up waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
