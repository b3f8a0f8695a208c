/**
 * Where a container engine is: found as its own clients find it. What the user named counts alone; the usual places
 * are looked at in turn, and the first engine that answers is it.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type EngineAddress, type EngineApi, engineApi } from "./api.js";
import { versionWithinMs } from "./limits.js";

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly home: string;
  readonly platform: string;
  /** Whether a socket is there; a test says so itself. */
  readonly hasSocket?: (path: string) => boolean;
}

export interface FoundEngine {
  readonly api: EngineApi;
  readonly address: EngineAddress;
  readonly name: "Docker" | "Podman";
  readonly version: string;
  readonly architecture: string;
}

export type Discovery =
  | { readonly outcome: "found"; readonly engine: FoundEngine }
  | { readonly outcome: "missing"; readonly because: string };

/** `known` is where an earlier life found one: what it left is there and nowhere else. */
export async function discoverEngine(around: Surroundings): Promise<Discovery> {
  const named = namedAddress(around);
  if (named !== undefined && "problem" in named) return { outcome: "missing", because: named.problem };
  const addresses = named === undefined ? usualAddresses(around) : [named];
  const silent: string[] = [];
  for (const address of addresses) {
    const engine = await ask(address).catch((error: Error) => {
      silent.push(`${address.url} (${address.from}): ${error.message}`);
    });
    if (engine) return { outcome: "found", engine };
  }
  return { outcome: "missing", because: whyMissing(around, named, silent) };
}

/** Rejects with a PortError when nothing answers there. */
export async function ask(address: EngineAddress): Promise<FoundEngine> {
  const api = await engineApi(address);
  const said = await api.call<VersionAnswer>("GET", "/version", { withinMs: versionWithinMs });
  const podman = said.Components?.find(({ Name }) => Name === "Podman Engine");
  return {
    api,
    address,
    name: podman === undefined ? "Docker" : "Podman",
    version: podman?.Version ?? said.Version,
    architecture: said.Arch,
  };
}

interface VersionAnswer {
  readonly Version: string;
  readonly Arch: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
}

/** DOCKER_HOST, Podman's own CONTAINER_HOST, then the docker command's current context. */
function namedAddress({ env, home }: Surroundings): EngineAddress | { readonly problem: string } | undefined {
  for (const name of ["DOCKER_HOST", "CONTAINER_HOST"]) {
    const url = env[name];
    if (!url) continue;
    const certificates = env["DOCKER_CERT_PATH"] || undefined;
    const wantsTls =
      name === "DOCKER_HOST" && (env["DOCKER_TLS_VERIFY"] || certificates) && /^tcp:/.test(url);
    const folder = certificates ?? join(dockerFolder(env, home), "");
    return { url, from: name, ...(wantsTls && { tls: readTls(folder) }) };
  }
  return contextAddress(env, home);
}

function contextAddress(
  env: Surroundings["env"],
  home: string,
): EngineAddress | { readonly problem: string } | undefined {
  const folder = dockerFolder(env, home);
  const config = readJson<{ currentContext?: string }>(join(folder, "config.json"));
  const name = env["DOCKER_CONTEXT"] || config?.currentContext;
  if (!name || name === "default") return undefined;
  const id = createHash("sha256").update(name).digest("hex");
  const meta = readJson<{ Endpoints?: { docker?: { Host?: string } } }>(
    join(folder, "contexts", "meta", id, "meta.json"),
  );
  const url = meta?.Endpoints?.docker?.Host;
  if (!url) {
    return {
      problem: `the docker context ${JSON.stringify(name)} does not exist: docker context use default`,
    };
  }
  const tls = readTls(join(folder, "contexts", "tls", id, "docker"));
  return { url, from: `docker context ${name}`, ...(tls.ca && { tls }) };
}

function dockerFolder(env: Surroundings["env"], home: string): string {
  return env["DOCKER_CONFIG"] || join(home, ".docker");
}

function usualAddresses({ env, home, platform, hasSocket = isSocket }: Surroundings): EngineAddress[] {
  if (platform === "win32") {
    return [{ url: "npipe:////./pipe/docker_engine", from: "Docker's usual pipe" }];
  }
  const run = env["XDG_RUNTIME_DIR"];
  const sockets: readonly (readonly [string, string])[] = [
    ["/var/run/docker.sock", "Docker's usual socket"],
    [join(home, ".docker/run/docker.sock"), "Docker Desktop"],
    [join(home, ".docker/desktop/docker.sock"), "Docker Desktop"],
    ...(run ? [[join(run, "docker.sock"), "rootless Docker"] as const] : []),
    [join(home, ".orbstack/run/docker.sock"), "OrbStack"],
    [join(home, ".colima/default/docker.sock"), "Colima"],
    [join(home, ".colima/docker.sock"), "Colima"],
    [join(home, ".rd/docker.sock"), "Rancher Desktop"],
    ["/run/podman/podman.sock", "Podman's usual socket"],
    ...(run ? [[join(run, "podman/podman.sock"), "rootless Podman"] as const] : []),
    [join(home, ".local/share/containers/podman/machine/podman.sock"), "Podman machine"],
  ];
  return sockets.filter(([path]) => hasSocket(path)).map(([path, from]) => ({ url: `unix://${path}`, from }));
}

function whyMissing(
  { env, platform }: Surroundings,
  named: EngineAddress | undefined,
  silent: readonly string[],
): string {
  if (named !== undefined) {
    return `no container engine answers at ${silent.join("; ")}. Start it, or correct ${named.from}`;
  }
  if (silent.length > 0) return `no container engine answers: ${silent.join("; ")}. Start it`;
  if (onPath("podman", env)) {
    const start = platform === "linux" ? "systemctl --user start podman.socket" : "podman machine start";
    return `Podman is installed, and its API service does not run: ${start}`;
  }
  if (onPath("docker", env))
    return "the docker command is installed, and no engine for it runs: start Docker";
  return (
    "no container engine was found (looked at DOCKER_HOST, docker contexts and the usual sockets): " +
    "install and start Docker, Podman, Colima, Rancher Desktop or OrbStack"
  );
}

function onPath(name: string, env: Surroundings["env"]): boolean {
  return (env["PATH"] ?? "")
    .split(delimiter)
    .some((folder) => folder !== "" && statSync(join(folder, name), { throwIfNoEntry: false })?.isFile());
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return false; // not there, or not for us
  }
}

function readTls(folder: string) {
  return { ca: read(folder, "ca.pem"), cert: read(folder, "cert.pem"), key: read(folder, "key.pem") };
}

function read(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), "utf8");
  } catch {
    return undefined; // the engine says what it misses
  }
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch {
    return undefined; // a file that is not there or is no JSON: the docker command too goes on without
  }
}
