// The Images port with a container engine: what it has, and what it can bring.
import type { Readable } from "node:stream";
import {
  type Fetched,
  type FetchOptions,
  type Images,
  isPortError,
  type RegistryCredentials,
  type ResolvedImage,
} from "../../ports/index.js";
import type { FoundEngine } from "./discover.js";
import { helpWithPull } from "./pullHelp.js";
import { normalizedReference, repositoryOf } from "./reference.js";

interface Inspected {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly Architecture?: string;
  readonly Config?: {
    readonly Entrypoint?: readonly string[] | string | null;
    readonly Cmd?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly User?: string;
    readonly StopSignal?: string;
  };
}

export function engineImages({ api, name, architecture }: FoundEngine): Images {
  async function inspect(reference: string): Promise<Inspected | undefined> {
    try {
      return await api.call<Inspected>("GET", `/images/${normalizedReference(reference)}/json`);
    } catch (error) {
      if (isPortError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async function fetch(reference: string, options: FetchOptions): Promise<Fetched> {
    const here = options.policy === "Always" ? undefined : await inspect(reference);
    if (here !== undefined) return { outcome: "present" };
    if (options.policy === "Never") {
      return {
        outcome: "failed",
        reason: "ErrImageNeverPull",
        because: `Container image "${reference}" is not present with pull policy of Never`,
      };
    }
    options.onProgress(`pulling image ${reference}`);
    let because = "";
    for (const credentials of [...options.credentials, undefined]) {
      const problem = await pull(reference, credentials, options);
      if (problem === undefined) return { outcome: "present" };
      // What the one who may read it hears is the news; that anonymous is refused too is not.
      because ||= problem;
    }
    if (options.policy === "Always" && (await inspect(reference).catch(() => undefined)) !== undefined) {
      because += ` (${name} has an image of this name: imagePullPolicy IfNotPresent would use it)`;
    }
    const help = helpWithPull(because, {
      engine: name,
      architecture,
      host: repositoryOf(reference).split("/")[0] ?? "",
    });
    return {
      outcome: "failed",
      reason: "ErrImagePull",
      because: because + (help === undefined ? "" : ` (${help})`),
    };
  }

  /** Why it failed, if it did. */
  async function pull(
    reference: string,
    credentials: RegistryCredentials | undefined,
    { signal, onProgress }: FetchOptions,
  ): Promise<string | undefined> {
    try {
      const told = await api.stream("POST", "/images/create", {
        query: { fromImage: normalizedReference(reference) },
        signal,
        ...(credentials !== undefined && { registryAuth: authHeader(credentials) }),
      });
      return await readPull(told, onProgress);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  return {
    fetch,
    async resolve(reference) {
      const found = await inspect(reference);
      if (found === undefined)
        return { outcome: "missing", because: `${reference}: ${name} has no such image` };
      return { outcome: "resolved", image: resolved(reference, found) };
    },
    ensure: async () => ({ env: {} }),
  };
}

function resolved(
  reference: string,
  { Id, RepoDigests, Architecture, Config = {} }: Inspected,
): ResolvedImage {
  const { Entrypoint, Cmd, WorkingDir, User, StopSignal } = Config;
  const repository = repositoryOf(reference);
  // Docker shortens its own hub's names here as everywhere.
  const named = RepoDigests?.find((one) => repositoryOf(one) === repository) ?? RepoDigests?.[0];
  const digest = named && `${repositoryOf(named)}@${named.split("@")[1]}`;
  return {
    reference: normalizedReference(reference),
    digest: digest ?? (Id.startsWith("sha256:") ? Id : `sha256:${Id}`),
    entrypoint: typeof Entrypoint === "string" ? [Entrypoint] : (Entrypoint ?? []),
    defaultArgs: Cmd ?? [],
    // The engine itself adds what the image sets.
    env: {},
    ...(WorkingDir && { workingDir: WorkingDir }),
    ...(User && { user: User }),
    ...(StopSignal && { stopSignal: StopSignal }),
    ...(Architecture && { architecture: Architecture }),
    rewritesPaths: false,
  };
}

/** One JSON object a line; the last of a pull that failed says why. */
async function readPull(told: Readable, onProgress: (line: string) => void): Promise<string | undefined> {
  let rest = "";
  let problem: string | undefined;
  for await (const chunk of told) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) hear(line);
  }
  hear(rest);
  return problem;

  function hear(line: string): void {
    if (line.trim() === "") return;
    const said = JSON.parse(line) as { error?: string; status?: string; id?: string; progress?: string };
    if (said.error !== undefined) problem = said.error;
    else if (said.status !== undefined)
      onProgress([said.id, said.status, said.progress].filter(Boolean).join(" "));
  }
}

function authHeader({ registry, username, password, identityToken }: RegistryCredentials): string {
  const body = identityToken
    ? { identitytoken: identityToken, serveraddress: registry }
    : { username, password, serveraddress: registry };
  // Padded, as Go's decoders want it; base64url leaves that out.
  return Buffer.from(JSON.stringify(body)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
