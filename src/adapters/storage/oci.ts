/**
 * A model in an image ("modelcar"): what its layers hold below /models, the upper layers over the lower ones. Layers
 * are fetched by digest, checked, kept apart from any model, and shared: a model's files are links to theirs.
 */
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RegistriesConfig } from "../../domain/apis/config/index.js";
import { dockerAuths } from "../../domain/apis/core/pullSecret.js";
import { type ImageParts, imageParts } from "../../domain/apis/serving/imageParts.js";
import type { RegistryCredentials } from "../../ports/index.js";
import { type Access, openRegistry, type Registry, RegistryTrouble, told } from "../registry/index.js";
import type { Budget } from "./budget.js";
import { StorageError } from "./errors.js";
import { type Layer, takeLayer } from "./layers.js";
import { maxLayers } from "./limits.js";
import type { Log } from "./log.js";
import { layOut } from "./overlay.js";
import { pruneLayers } from "./prune.js";

export interface PullOptions {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly budget: Budget;
  readonly backoffFactor?: number;
  readonly version?: string;
}

export async function pullModel(
  image: string,
  shown: string,
  target: string,
  options: PullOptions,
): Promise<void> {
  const { env, log, signal, version = "0" } = options;
  const parts = imageParts(image);
  const registry = openRegistry({ version, env });
  const shared = env["DRYDOCK_OCI"];
  // Without a place for all, they are kept beside the model, for it alone.
  const cache = shared === undefined ? join(target, ".drydock-layers") : join(shared, "layers");
  try {
    const access: Access = { ...(await accessOf(parts, env)), signal };
    const { digest, layers } = await layersOf(parts, registry, access);
    const pinned = { ...parts, digest };
    log("oci:40", `Pulling ${parts.registry}/${parts.repository}@${digest}: ${layers.length} layers`);
    const taken = [];
    for (const layer of layers) {
      const source = (from: number) => registry.blob(pinned, layer.digest, from, access);
      taken.push(await takeLayer(layer, source, cache, options));
    }
    if ((await layOut(taken, target, options.budget)) === 0) {
      throw new StorageError(`OCI image at ${shown} has no /models/ directory, or it is empty`);
    }
    if (shared === undefined) await rm(cache, { recursive: true, force: true });
    else await pruneLayers(cache, env, taken);
  } catch (error) {
    if (!(error instanceof RegistryTrouble) || signal.aborted) throw error;
    throw new StorageError(`Failed to pull OCI image ${shown}: ${told(error)}`, { cause: error });
  }
}

/** How registries are reached: as the instance says, in a file; else as upstream's fetch mode is told. */
async function accessOf(parts: ImageParts, env: PullOptions["env"]): Promise<Omit<Access, "signal">> {
  const folder = env["DRYDOCK_OCI"];
  const said = folder === undefined ? undefined : await jsonIn(join(folder, "registries.json"));
  const registries: RegistriesConfig = {
    mirrors: {},
    plainHttp: env["KSERVE_OCI_INSECURE_REGISTRY"]?.toLowerCase() === "true" ? [parts.registry] : [],
    skipTlsVerify: [],
    caCertificates: "",
    ...(said as Partial<RegistriesConfig> | undefined),
  };
  const credentials = [
    ...(await credentialsIn(env["KSERVE_OCI_DOCKER_CONFIG"])),
    ...(await ofThePod(env["DRYDOCK_REGISTRY_CREDENTIALS"])),
  ];
  return { registries, credentials };
}

/** All that the pod and its service account may show, as the node has found it. */
async function ofThePod(path: string | undefined): Promise<readonly RegistryCredentials[]> {
  return path ? (((await jsonIn(path)) ?? []) as readonly RegistryCredentials[]) : [];
}

/** The imagePullSecret, as a file or the folder it is in. */
async function credentialsIn(path: string | undefined): Promise<readonly RegistryCredentials[]> {
  if (!path) return [];
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  const config = (await jsonIn(isFolder ? join(path, "config.json") : path)) as
    | { readonly auths?: unknown }
    | undefined;
  const read = dockerAuths(config?.auths ?? {}, "the imagePullSecret: auths");
  if ("because" in read) throw new StorageError(`Failed to initialize authentication: ${read.because}`);
  return read.credentials;
}

async function jsonIn(path: string): Promise<object | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    // Optional; who needs it is refused by the registry, in words.
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Told below, without the text: it holds credentials.
  }
  throw new StorageError(`${path} does not hold a JSON object.`);
}

async function layersOf(parts: ImageParts, registry: Registry, access: Access) {
  let manifest = await registry.manifest(parts, access);
  const { manifests } = manifest.content;
  if (Array.isArray(manifests)) {
    const digest = digestForThisMachine(manifests);
    if (digest === undefined) throw new StorageError("The image's index names no image.");
    manifest = await registry.manifest({ ...parts, digest }, access);
  }
  const { layers } = manifest.content;
  if (!Array.isArray(layers)) throw new StorageError(`Not an image with layers: ${manifest.mediaType}.`);
  if (layers.length > maxLayers) throw new StorageError(`The image has more than ${maxLayers} layers.`);
  return { digest: manifest.digest, layers: layers.map(layerOf) };
}

interface Listed {
  readonly digest?: unknown;
  readonly platform?: { readonly os?: unknown; readonly architecture?: unknown };
}

/** A model is the same on every machine, so another's image is better than none; what attests is no image. */
function digestForThisMachine(manifests: readonly unknown[]): string | undefined {
  const listed = manifests.filter(
    (one): one is Listed => typeof one === "object" && one !== null && isDigest((one as Listed).digest),
  );
  const images = listed.filter(({ platform }) => platform?.os !== "unknown");
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const own = images.find(
    ({ platform }) => platform?.os === "linux" && platform.architecture === architecture,
  );
  return (own ?? images[0])?.digest as string | undefined;
}

function layerOf(given: unknown): Layer {
  const { digest, mediaType, size } = (given ?? {}) as {
    readonly digest?: unknown;
    readonly mediaType?: unknown;
    readonly size?: unknown;
  };
  if (!isDigest(digest) || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new StorageError("A layer of the image has no digest, or no size.");
  }
  const type = typeof mediaType === "string" ? mediaType : "";
  if (/zstd/.test(type)) {
    throw new StorageError(
      `Layer ${digest} is compressed with zstd, which is not supported. Build the image with gzip layers.`,
    );
  }
  // What attests or signs lies beside the layers, and is no part of the file system.
  return { digest, size, isFiles: /(tar|tar\.gzip|tar\+gzip)$/.test(type) };
}

function isDigest(value: unknown): value is string {
  return typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value);
}
