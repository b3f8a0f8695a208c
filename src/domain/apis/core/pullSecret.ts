// What a Secret says about registries: kubernetes.io/dockerconfigjson, and dockercfg before it.

import { textOfBase64 } from "./base64.js";
import type { Secret, ServiceAccount } from "./config.types.js";

/** What a registry wants to know of who asks: a name and a password, or a token in place of both. */
export interface PullCredentials {
  /** A host, or a host and the beginning of a repository's name. */
  readonly registry: string;
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
}

type PullSecretReading = { readonly credentials: readonly PullCredentials[] } | { readonly because: string };

/** A registry more than these is a Secret gone wrong; each is tried at most once. */
const mostRegistries = 256;

export type PullSecrets =
  | {
      readonly credentials: readonly PullCredentials[];
      /** What would explain that a registry is not content with them. */
      readonly notes: readonly string[];
    }
  | { readonly because: string };

/** More than a registry is asked with is a mistake, not a wish. */
const mostSecrets = 32;

/** Who a pod is to registries: the Secrets it names, then those of its service account. */
export function pullSecretsOf(
  named: readonly { readonly name?: string | undefined }[] | undefined,
  account: ServiceAccount | undefined,
  secretNamed: (name: string) => Secret | undefined,
): PullSecrets {
  const wanted = [...(named ?? []), ...(account?.imagePullSecrets ?? [])].map(({ name }) => name);
  const mounted = (account?.secrets ?? []).map(({ name }) => name);
  const credentials: PullCredentials[] = [];
  const notes: string[] = [];
  for (const name of [...new Set([...wanted, ...mounted])].slice(0, mostSecrets)) {
    if (!name) continue;
    const secret = secretNamed(name);
    if (secret === undefined) {
      if (wanted.includes(name)) notes.push(`the imagePullSecret ${JSON.stringify(name)} does not exist`);
      continue;
    }
    const reading = pullCredentials(secret);
    if ("because" in reading) return { because: `secret ${JSON.stringify(name)}: ${reading.because}` };
    if (wanted.includes(name) && reading.credentials.length === 0) {
      notes.push(`the imagePullSecret ${JSON.stringify(name)} holds no registry's credentials`);
    }
    credentials.push(...reading.credentials);
  }
  return { credentials, notes };
}

/** Empty for a Secret of another type. */
function pullCredentials({ type, data }: Secret): PullSecretReading {
  if (type === "kubernetes.io/dockerconfigjson") {
    const parsed = json(data?.[".dockerconfigjson"] ?? "");
    if (parsed === undefined) return { because: ".dockerconfigjson is not a JSON object" };
    return dockerAuths(record(parsed)?.["auths"] ?? {}, ".dockerconfigjson: auths");
  }
  if (type === "kubernetes.io/dockercfg") {
    const parsed = json(data?.[".dockercfg"] ?? "");
    if (parsed === undefined) return { because: ".dockercfg is not a JSON object" };
    return dockerAuths(parsed, ".dockercfg");
  }
  return { credentials: [] };
}

/** The `auths` of Docker's config.json: by registry, either `auth` or `username` and `password`. */
export function dockerAuths(given: unknown, where: string): PullSecretReading {
  const auths = record(given);
  if (auths === undefined) return { because: `${where} is not a JSON object` };
  const found: PullCredentials[] = [];
  for (const [key, value] of Object.entries(auths).slice(0, mostRegistries)) {
    const entry = record(value);
    if (entry === undefined) return { because: `${where}: the entry of ${key} is not a JSON object` };
    const read = credentialsOf(registryKey(key), entry);
    if (read === undefined) {
      return { because: `${where}: "auth" of ${key} is not the base64 of name:password` };
    }
    found.push(...read);
  }
  return { credentials: found };
}

/** Keys are hosts, or addresses as Docker once wrote them: `https://index.docker.io/v1/`. */
export function registryKey(key: string): string {
  const bare = key.replace(/^https?:\/\//, "").replace(/\/(v1|v2)?\/?$/, "");
  return bare.replace(/^(registry-1\.)?docker\.io(?=\/|$)/, "index.docker.io");
}

function credentialsOf(
  registry: string,
  entry: { readonly [field: string]: unknown },
): readonly PullCredentials[] | undefined {
  const text = (field: string) => {
    const value = entry[field];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const identityToken = text("identitytoken");
  if (identityToken !== undefined) return [{ registry, identityToken }];
  const auth = text("auth");
  if (auth !== undefined) {
    const pair = textOfBase64(auth.trim());
    const colon = pair?.indexOf(":") ?? -1;
    if (pair === undefined || colon < 1) return undefined;
    // Docker once padded the password with zero bytes.
    return [
      { registry, username: pair.slice(0, colon), password: pair.slice(colon + 1).replace(/\0+$/, "") },
    ];
  }
  const username = text("username");
  const password = text("password");
  // An entry without any stands for a helper, which only the machine it was written on has.
  return username === undefined || password === undefined ? [] : [{ registry, username, password }];
}

function json(base64: string): object | undefined {
  const text = textOfBase64(base64);
  if (text === undefined) return undefined;
  try {
    return record(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function record(value: unknown): { readonly [field: string]: unknown } | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [field: string]: unknown })
    : undefined;
}
