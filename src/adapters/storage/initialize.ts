/**
 * Fills a model's folder from its URI. Everything is made in a folder of its own inside the destination and then
 * moved into place, so that no half-written model is ever seen. The calls that only touch names are synchronous: this
 * process has nothing else to do, and a cold start waits for it.
 */

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { archiveKind, unpack } from "./archive.js";
import { type Budget, budget } from "./budget.js";
import { modelCache } from "./cache.js";
import { codeOf, noModelFound, StorageError } from "./errors.js";
import { downloadHttp } from "./http.js";
import { defaultMaxModelBytes } from "./limits.js";
import { copyLocal } from "./local.js";
import type { Log } from "./log.js";
import { parseSource, redact } from "./uri.js";

export interface Pair {
  readonly uri: string;
  readonly dest: string;
  /** The path a user knows the destination by. */
  readonly label: string;
}

export interface InitializeOptions {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly backoffFactor?: number;
  /** Drydock's own, which registries are told. */
  readonly version?: string;
}

const stagingPrefix = ".drydock-";

export async function initializeStorage(pairs: readonly Pair[], options: InitializeOptions): Promise<void> {
  const uris = pairs.map(({ uri }) => redact(uri)).join(" ");
  const labels = pairs.map(({ label }) => label).join(" ");
  // The bracket that never closes is upstream's, and in the debug guide.
  options.log("initializer-entrypoint:13", `Initializing, args: src_uri [${uris}] dest_path[ [${labels}]`);
  for (const pair of pairs) await initializeOne(pair, options);
}

async function initializeOne({ uri, dest, label }: Pair, options: InitializeOptions): Promise<void> {
  const { log } = options;
  const shown = redact(uri);
  const startMs = performance.now();
  log("storage:35", `Copying contents of ${shown} to local`);
  // Upstream's multi-model pods name the destination as the source: there is nothing to fetch.
  if (resolve(uri) === resolve(dest)) return;

  const limit = budget(maxModelBytes(options.env));
  mkdirSync(dest, { recursive: true });
  sweep(dest);
  const staging = mkdtempSync(join(dest, stagingPrefix));
  try {
    await fetchInto(uri, shown, staging, label, limit, options);
    const names = readdirSync(staging);
    if (names.length === 0) throw noModelFound(shown);
    for (const name of names) moveInto(join(staging, name), join(dest, name));
  } catch (error) {
    throw explained(error, label);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  log("storage:60", `Successfully copied ${shown} to ${label}`);
  log("storage:62", `Model downloaded in ${((performance.now() - startMs) / 1000).toFixed(2)} seconds.`);
}

async function fetchInto(
  uri: string,
  shown: string,
  staging: string,
  label: string,
  limit: Budget,
  options: InitializeOptions,
): Promise<void> {
  const source = parseSource(uri);
  switch (source.kind) {
    case "local":
      await copyLocal(fromExamples(source.path, options.env), shown, staging, { ...options, budget: limit });
      break;
    case "http":
      return fetchOnce(uri, staging, options, async () => {
        await downloadHttp(source.url, staging, label, { ...options, budget: limit });
        await unpackLone(staging, shown, limit, options);
      });
    case "oci": {
      // Only such a model needs the code that asks registries.
      const { pullModel } = await import("./oci.js");
      // A model in an image is laid out as it is meant: an archive in it stays one, as upstream has it.
      await pullModel(source.image, shown, staging, { ...options, budget: limit });
      return;
    }
    case "pvc":
      // The kubelet mounts a claim itself; one that arrives here was not found.
      throw new StorageError(`Cannot locate source uri ${shown} for PVC`);
  }
  await unpackLone(staging, shown, limit, options);
}

/** As it was fetched for this Revision before, or now, and then kept where there is a place for it. */
async function fetchOnce(
  uri: string,
  staging: string,
  { env, log, signal }: InitializeOptions,
  fetch: () => Promise<void>,
): Promise<void> {
  const folder = env["DRYDOCK_MODEL_CACHE"];
  if (!folder) return fetch();
  const cache = modelCache(folder, Date.now());
  if (await cache.restore(uri, staging, signal)) {
    log("storage:120", "Found in the cache of this Revision");
    return;
  }
  await fetch();
  // The model is there; that it may have to be fetched again is no reason to fail.
  await cache.keep(uri, staging, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    log("storage:122", `Not kept for the next pod: ${error instanceof Error ? error.message : error}`, "W");
  });
}

/** Example manifests must work from any folder, so the examples we ship have one path that is the same everywhere. */
export function fromExamples(path: string, env: InitializeOptions["env"]): string {
  const folder = env["DRYDOCK_EXAMPLES"];
  return folder ? path.replace(/^\/drydock\/examples(?=\/)/, () => folder) : path;
}

/** A model that is exactly one archive is meant to be unpacked. */
async function unpackLone(
  staging: string,
  shown: string,
  limit: Budget,
  options: InitializeOptions,
): Promise<void> {
  const entries = readdirSync(staging, { withFileTypes: true });
  const [only] = entries;
  const kind = entries.length === 1 && only?.isFile() ? archiveKind(only.name) : undefined;
  if (only === undefined || kind === undefined) return;
  options.log("storage:140", `Unpacking: ${only.name}`);
  // Aside first: an entry may well have the archive's own name.
  const archive = join(staging, `${stagingPrefix}archive`);
  renameSync(join(staging, only.name), archive);
  const unpacked = join(staging, `${stagingPrefix}unpacked`);
  mkdirSync(unpacked);
  const files = await unpack(archive, kind, unpacked, { budget: limit, signal: options.signal });
  if (files === 0) throw noModelFound(shown);
  await rm(archive);
  for (const name of readdirSync(unpacked)) renameSync(join(unpacked, name), join(staging, name));
  rmSync(unpacked, { recursive: true });
}

function moveInto(from: string, to: string): void {
  // Left by an attempt before this one; a folder cannot be renamed over another.
  rmSync(to, { recursive: true, force: true });
  renameSync(from, to);
}

/** What a killed attempt left behind. Only one initializer works on a folder at a time. */
function sweep(dest: string): void {
  for (const name of readdirSync(dest)) {
    if (name.startsWith(stagingPrefix)) rmSync(join(dest, name), { recursive: true, force: true });
  }
}

function explained(error: unknown, label: string): unknown {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new StorageError(`No space left on device for ${label}.`);
  if (code === "EACCES" || code === "EPERM") {
    const path = (error as NodeJS.ErrnoException).path;
    return new StorageError(`Permission denied: ${path ?? label}.`);
  }
  return error;
}

function maxModelBytes(env: InitializeOptions["env"]): number {
  const text = env["DRYDOCK_MAX_MODEL_BYTES"];
  if (!text) return defaultMaxModelBytes;
  const bytes = Number(text);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new StorageError(`DRYDOCK_MAX_MODEL_BYTES must be a whole number of bytes, not "${text}".`);
}
