/**
 * What the machine itself knows: the logins of `docker login` and `podman login`, credential helpers, and the
 * certificate authorities it trusts.
 */
import { spawn } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { dockerAuths, registryKey } from "../../domain/apis/core/pullSecret.js";
import { defaultRegistry } from "../../domain/apis/serving/imageParts.js";
import type { RegistryCredentials } from "../../ports/index.js";
import type { HostCertificates } from "./hostCertificates.js";
import { identitiesFor } from "./identities.js";
import {
  helperFreshMs,
  helperMs,
  maxCertificateBytes,
  maxCertificateFiles,
  maxConfigBytes,
  maxHelperBytes,
} from "./limits.js";
import { oneLine, RegistryTrouble } from "./trouble.js";

export type Env = { readonly [name: string]: string | undefined };

export interface Logins {
  readonly credentials: readonly RegistryCredentials[];
  /** What went wrong on the way; it matters only if the registry is not content. */
  readonly notes: readonly string[];
}

export interface Machine {
  loginsFor(host: string, repository: string): Promise<Logins>;
}

export function machineOf(env: Env, now: () => number): Machine {
  const asked = new Map<string, { readonly untilMs: number; readonly answer: Promise<Helped> }>();

  function askHelper(helper: string, host: string): Promise<Helped> {
    const key = `${helper} ${host}`;
    const known = asked.get(key);
    if (known !== undefined && known.untilMs > now()) return known.answer;
    if (asked.size > 100) asked.clear();
    const answer = runHelper(helper, host, env);
    asked.set(key, { untilMs: now() + helperFreshMs, answer });
    return answer;
  }

  return {
    async loginsFor(host, repository) {
      const credentials: RegistryCredentials[] = [];
      const notes: string[] = [];
      for (const path of configFiles(env)) {
        const read = await readConfig(path);
        if (read === undefined) continue;
        if ("because" in read) {
          notes.push(read.because);
          continue;
        }
        const helper = read.helpers.get(host) ?? read.store;
        const own = identitiesFor(host, repository, read.credentials);
        credentials.push(...own);
        // A helper named for this registry comes before what the file holds; the store for all of them, after.
        if (helper === undefined || (own.length > 0 && !read.helpers.has(host))) continue;
        const helped = await askHelper(helper, host);
        if ("because" in helped) notes.push(helped.because);
        else if (helped.credentials !== undefined)
          credentials.unshift({ registry: host, ...helped.credentials });
      }
      return { credentials, notes };
    },
  };
}

/** As docker and podman look for them. */
function configFiles(env: Env): readonly string[] {
  const home = env["HOME"] || homedir();
  const runtime = env["XDG_RUNTIME_DIR"];
  const own = env["REGISTRY_AUTH_FILE"];
  return [
    ...(own ? [own] : []),
    join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json"),
    ...(runtime ? [join(runtime, "containers", "auth.json")] : []),
    join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers", "auth.json"),
  ];
}

interface Config {
  readonly credentials: readonly RegistryCredentials[];
  readonly helpers: ReadonlyMap<string, string>;
  readonly store: string | undefined;
}

/** Read anew each time: `docker login` takes effect at once. */
async function readConfig(path: string): Promise<Config | { readonly because: string } | undefined> {
  try {
    const { size } = await stat(path);
    if (size > maxConfigBytes) return { because: `${path} is larger than ${maxConfigBytes} bytes` };
    const given = JSON.parse(await readFile(path, "utf8")) as { readonly [field: string]: unknown } | null;
    const auths = dockerAuths(given?.["auths"] ?? {}, `${path}: auths`);
    if ("because" in auths) return auths;
    const helpers = Object.entries((given?.["credHelpers"] ?? {}) as object).filter(
      (one): one is [string, string] => typeof one[1] === "string",
    );
    const store = given?.["credsStore"];
    return {
      credentials: auths.credentials,
      helpers: new Map(helpers.map(([registry, name]) => [registryKey(registry), name])),
      store: typeof store === "string" && store !== "" ? store : undefined,
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : { because: `${path}: ${oneLine(message)}` };
  }
}

type Helped =
  | { readonly credentials: Omit<RegistryCredentials, "registry"> | undefined }
  | { readonly because: string };

/** `docker-credential-NAME get`: the registry on its input, JSON on its output. */
function runHelper(name: string, host: string, env: Env): Promise<Helped> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name))
    return Promise.resolve({ because: `${JSON.stringify(name)} names no credential helper` });
  return new Promise((resolve) => {
    const child = spawn(program, ["get"], {
      env: { ...env },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: helperMs,
      killSignal: "SIGKILL",
    });
    const out: Buffer[] = [];
    let bytes = 0;
    const collect = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxHelperBytes) child.kill("SIGKILL");
      else out.push(chunk);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", ({ message }) => resolve({ because: `${program} does not run: ${oneLine(message)}` }));
    child.on("close", (code) => resolve(helperSaid(program, code, Buffer.concat(out).toString("utf8"))));
    // A helper that does not read is none of our trouble; how it ends says what happened.
    child.stdin.on("error", () => undefined);
    child.stdin.end(host === defaultRegistry ? "https://index.docker.io/v1/" : host);
  });
}

function helperSaid(program: string, code: number | null, text: string): Helped {
  if (code === null) return { because: `${program} did not answer within ${helperMs / 1000} s` };
  if (/credentials not found/i.test(text)) return { credentials: undefined };
  if (code !== 0) return { because: `${program} failed: ${oneLine(text)}` };
  try {
    const { Username, Secret } = JSON.parse(text) as {
      readonly Username?: unknown;
      readonly Secret?: unknown;
    };
    if (typeof Secret !== "string" || Secret === "") return { credentials: undefined };
    return Username === "<token>"
      ? { credentials: { identityToken: Secret } }
      : { credentials: { username: typeof Username === "string" ? Username : "", password: Secret } };
  } catch {
    // Its output may hold a secret: it is not repeated.
    return { because: `${program} did not answer in JSON` };
  }
}

const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Certificates of authorities, as Go's programs find them, beside those Node brings. */
export async function trusted(
  env: Env,
  more: string,
  { authorities, client }: HostCertificates,
): Promise<SecureContext> {
  const file = env["SSL_CERT_FILE"];
  const system = await firstText(file ? [file] : bundles);
  const folders = (env["SSL_CERT_DIR"] ?? "").split(":").filter((one) => one !== "");
  const extra = await Promise.all(folders.map(certificatesIn));
  const ca = [
    ...new Set([
      ...rootCertificates,
      ...pems(system),
      ...extra.flat(),
      ...pems(more),
      ...authorities.flatMap(pems),
    ]),
  ];
  if (client === undefined) return createSecureContext({ ca });
  try {
    return createSecureContext({ ca, cert: client.cert, key: client.key });
  } catch (error) {
    throw new RegistryTrouble(`${client.path}: ${oneLine((error as Error).message)}`, {
      help: "it must be a certificate, and its .key the key of that certificate, both as PEM",
      cause: error,
    });
  }
}

async function certificatesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /\.(crt|pem|cer|0)$/.test(name));
    const texts = names.slice(0, maxCertificateFiles).map((name) => firstText([join(folder, name)]));
    return (await Promise.all(texts)).flatMap(pems);
  } catch {
    // As Go has it: a folder that cannot be read holds nothing.
    return [];
  }
}

async function firstText(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    try {
      if ((await stat(path)).size <= maxCertificateBytes) return await readFile(path, "utf8");
    } catch {
      // The next place, then.
    }
  }
  return "";
}

function pems(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
