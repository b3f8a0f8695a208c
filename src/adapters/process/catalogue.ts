/**
 * The Images port without an engine: a short list of names that this machine can run as processes. A digest is the
 * hash of what the name stands for, so the same version of Drydock gives the same digest everywhere.
 */
import { createHash } from "node:crypto";
import {
  type ImageResolution,
  type Images,
  type InsideProgram,
  PortError,
  type ResolvedImage,
} from "../../ports/index.js";

export type RuntimeEnsure = (
  name: "onnx" | "sklearn",
  options: { readonly signal: AbortSignal; readonly onProgress: (line: string) => void },
) => Promise<{ readonly env: { readonly [name: string]: string } }>;

export interface ProcessImagesOptions {
  /** Drydock's version: part of the digests, and a tag like any. */
  readonly version: string;
  /** Where the programs that are part of Drydock live. */
  readonly programs: { readonly modelserver: string; readonly storageInitializer: string };
  readonly ensureRuntime: RuntimeEnsure;
  /** The storage initializer again, as what can be done without a process. */
  readonly initializeInside?: InsideProgram;
  /** What the storage initializer is told of this machine. */
  readonly storageEnv?: { readonly [name: string]: string };
}

interface Entry {
  readonly entrypoint: readonly string[];
  /** What the entry stands for, free of this machine's paths: the digest is made of it. */
  readonly definition: string;
  readonly env?: { readonly [name: string]: string };
  /** What is of this machine alone, and so no part of the digest. */
  readonly localEnv?: { readonly [name: string]: string };
  readonly runtime?: "onnx" | "sklearn";
  readonly warms?: boolean;
  readonly inside?: InsideProgram | undefined;
}

export function processImages(options: ProcessImagesOptions): Images {
  const { version, programs, ensureRuntime, initializeInside, storageEnv = {} } = options;
  const modelserver = (backend: "onnx" | "sklearn"): Entry => ({
    entrypoint: [process.execPath, programs.modelserver, `--backend=${backend}`, "--model_dir=/mnt/models"],
    definition: `modelserver --backend=${backend}`,
    env: { DRYDOCK_MODEL_DIR_LABEL: "/mnt/models" },
    runtime: backend,
    warms: true,
  });
  const entries: { readonly [name: string]: Entry } = {
    "drydock/storage-initializer": {
      entrypoint: [process.execPath, programs.storageInitializer],
      definition: "storage-initializer",
      // What users read in its log is the path they know, not the folder of this machine behind it.
      env: { DRYDOCK_MODEL_DIR_LABEL: "/mnt/models" },
      localEnv: storageEnv,
      warms: true,
      inside: initializeInside,
    },
    "drydock/onnxserver": modelserver("onnx"),
    "drydock/sklearnserver": modelserver("sklearn"),
    "drydock/host": { entrypoint: [], definition: "host" },
  };

  const digests = new Map<string, string>();
  function digestOf(name: string, entry: Entry): string {
    const known = digests.get(name);
    if (known !== undefined) return known;
    const content = JSON.stringify([name, version, entry.definition, entry.env ?? {}]);
    const made = `${name}@sha256:${createHash("sha256").update(content).digest("hex")}`;
    digests.set(name, made);
    return made;
  }

  return {
    async resolve(reference): Promise<ImageResolution> {
      const { name, tag, digest } = parseReference(reference);
      const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
      if (entry === undefined)
        return {
          outcome: "missing",
          because: notInCatalogue(reference, Object.keys(entries)),
          isUnknown: true,
        };
      const made = digestOf(name, entry);
      if (digest !== undefined && `${name}@${digest}` !== made) {
        return { outcome: "missing", because: `${reference}: this Drydock (${version}) has ${made}` };
      }
      if (tag !== undefined && tag !== "latest" && tag !== version && tag !== `v${version}`) {
        return {
          outcome: "missing",
          because: `${reference}: not found; this Drydock has ${name}:${version}`,
        };
      }
      const image: ResolvedImage = {
        reference,
        digest: made,
        entrypoint: entry.entrypoint,
        defaultArgs: [],
        env: { ...entry.env, ...entry.localEnv },
        rewritesPaths: true,
        ...(entry.runtime && { runtime: entry.runtime }),
        ...(entry.warms && { warms: true }),
        ...(entry.inside && { inside: entry.inside }),
      };
      return { outcome: "resolved", image };
    },

    async ensure({ runtime }, { signal, onProgress }) {
      if (runtime !== "onnx" && runtime !== "sklearn") return { env: {} };
      try {
        return await ensureRuntime(runtime, { signal, onProgress });
      } catch (cause) {
        if (cause instanceof PortError) throw cause;
        throw new PortError("ServiceUnavailable", cause instanceof Error ? cause.message : String(cause), {
          cause,
        });
      }
    },
  };
}

/** `docker.io/drydock/host:latest` and `drydock/host` name the same image. */
function parseReference(reference: string) {
  const [named = "", digest] = reference.split("@");
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const name = (hasTag ? named.slice(0, colon) : named).replace(/^(index\.)?docker\.io\//, "");
  return { name, tag: hasTag ? named.slice(colon + 1) : undefined, digest };
}

function notInCatalogue(reference: string, names: readonly string[]): string {
  return (
    `${reference}: not an image that runs as a process on this machine (${names.join(", ")}); ` +
    "other images need a container engine"
  );
}
