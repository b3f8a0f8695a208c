// A Podman service of a test's own, over the same images and containers as the others: it may be stopped, and know
// registries and logins that no other does.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, it } from "vitest";
import type { FoundEngine } from "../../src/adapters/engine/discover.js";
import { describeWithEngine } from "./engine.js";

export interface PodmanService {
  readonly url: string;
  start(): Promise<void>;
  /** At once: who was connected is cut off. Containers go on, as Podman has it. */
  stop(): Promise<void>;
  remove(): Promise<void>;
}

export interface PodmanOptions {
  /** Registries without TLS. */
  readonly insecure?: readonly string[];
  /** As `podman login` would have left them: registry to `name:password`. */
  readonly logins?: Readonly<Record<string, string>>;
}

/** A describe that is skipped, with the reason in its name, where the engine found is no Podman of this machine. */
export function describeWithPodman(title: string, body: (engine: FoundEngine) => void): void {
  describeWithEngine(title, (engine) => {
    const isHere = engine.name === "Podman" && engine.address.url.startsWith("unix:");
    if (isHere && spawnSync("podman", ["--version"]).status === 0) return body(engine);
    if (process.env["DRYDOCK_SKIP_NOTHING"] !== undefined)
      throw new Error(`${title}: no Podman of this machine`);
    describe.skip("skipped: it needs a Podman of this machine", () => {
      it("is not there", () => {});
    });
  });
}

export async function podmanService(
  engine: FoundEngine,
  { insecure = [], logins = {} }: PodmanOptions = {},
): Promise<PodmanService> {
  const { api } = engine;
  const folder = await mkdtemp(join(tmpdir(), "drydock-podman-"));
  const socket = join(folder, "podman.sock");
  const { store } = await api.call<{ store: { graphRoot: string; runRoot: string } }>(
    "GET",
    "/v4.0.0/libpod/info",
  );
  const registries = insecure.map((host) => `[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
  await writeFile(join(folder, "registries.conf"), registries.join("\n"));
  const auths = Object.entries(logins).map(([host, who]) => [
    host,
    { auth: Buffer.from(who).toString("base64") },
  ]);
  await mkdir(join(folder, "containers"));
  await writeFile(join(folder, "containers/auth.json"), JSON.stringify({ auths: Object.fromEntries(auths) }));
  const env = {
    ...process.env,
    CONTAINERS_REGISTRIES_CONF: join(folder, "registries.conf"),
    XDG_CONFIG_HOME: folder,
  };
  const words = ["--root", store.graphRoot, "--runroot", store.runRoot, "system", "service", "--time=0"];
  let service: ChildProcess | undefined;

  const made: PodmanService = {
    url: `unix://${socket}`,
    async start() {
      await rm(socket, { force: true });
      // In its folder: where a container is killed for want of memory, Podman leaves an empty file.
      service = spawn("podman", [...words, `unix://${socket}`], { env, cwd: folder, stdio: "ignore" });
      for (let tries = 0; tries < 500 && !existsSync(socket); tries += 1) await pause(20);
    },
    async stop() {
      const ending = service;
      service = undefined;
      if (ending === undefined || ending.exitCode !== null) return;
      const ended = new Promise((resolve) => ending.once("exit", resolve));
      ending.kill("SIGKILL");
      await ended;
    },
    async remove() {
      await made.stop();
      await forgetImages(engine, insecure);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await forgetImages(engine, insecure);
  await made.start();
  return made;
}

/**
 * What was pulled from these registries: a registry of a test has any free port, and once in a while one that another
 * test's had, whose images the store still holds.
 */
async function forgetImages({ api }: FoundEngine, hosts: readonly string[]): Promise<void> {
  const images = await api.call<readonly { RepoTags?: string[] | null }[]>("GET", "/images/json");
  for (const name of images.flatMap(({ RepoTags }) => RepoTags ?? [])) {
    if (!hosts.some((host) => name.startsWith(`${host}/`)) || name.endsWith(":<none>")) continue;
    await api.call("DELETE", `/images/${name}`, { query: { force: "true" } });
  }
}
