/**
 * Runtimes are installed when first needed, below one home, and found again by a look at the disk. An installation
 * is made in a folder of its own and renamed into place, so what is there is whole.
 */

import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bytesBelow, megabytes, secondsSince } from "./disk.js";
import { isAlive, withLock } from "./lock.js";
import { onnxRecipe } from "./onnx.js";
import type { Recipe, RuntimeName } from "./recipe.js";
import { sklearnRecipe } from "./sklearn.js";

export interface RuntimesOptions {
  /** Drydock's own folder; runtimes live below it. */
  readonly home: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The folder of pins, one sub-folder a runtime. */
  readonly pins?: string;
}

export interface EnsureOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

export interface InstallOptions extends EnsureOptions {
  /** A folder (or tarball, or wheelhouse) to install from, without a network. */
  readonly from?: string;
}

export interface RuntimeEnv {
  readonly env: Readonly<Record<string, string>>;
}

export interface RuntimeStatus {
  readonly name: RuntimeName;
  readonly installed: boolean;
  readonly version: string;
  /** Where it is, or where it would go. */
  readonly path: string;
  readonly bytes: number;
}

export interface Runtimes {
  /** The environment a model server needs; installs first when nothing is there yet. */
  ensure(name: RuntimeName, options?: EnsureOptions): Promise<RuntimeEnv>;
  list(): Promise<readonly RuntimeStatus[]>;
  install(name: RuntimeName, options?: InstallOptions): Promise<RuntimeEnv>;
}

const markerFile = "drydock-runtime.json";
const ownPins = fileURLToPath(new URL("../../../runtimes", import.meta.url));

export function runtimes(options: RuntimesOptions): Runtimes {
  const root = join(options.home, "runtimes");
  const env = options.env ?? process.env;
  const pins = options.pins ?? ownPins;
  const names: readonly RuntimeName[] = ["onnx", "sklearn"];

  const recipeOf = (name: RuntimeName): Recipe =>
    name === "onnx" ? onnxRecipe(join(pins, name), env) : sklearnRecipe(join(pins, name), env);

  /** Synchronous: a cold start waits for it, and other threads would have it wait for whatever else there is to do. */
  function find(recipe: Recipe) {
    for (const folder of (existsSync(root) ? readdirSync(root) : []).sort().reverse()) {
      if (!folder.startsWith(recipe.prefix)) continue;
      const path = join(root, folder);
      const found = existsSync(join(path, markerFile)) ? recipe.envOf(path) : undefined;
      if (found !== undefined) return { path, env: found };
    }
    return undefined;
  }

  async function ensure(name: RuntimeName, { signal, onProgress }: EnsureOptions = {}): Promise<RuntimeEnv> {
    const found = find(recipeOf(name));
    if (found !== undefined) return { env: found.env };
    return install(name, { ...(signal && { signal }), ...(onProgress && { onProgress }) });
  }

  async function install(
    name: RuntimeName,
    { signal, onProgress, from }: InstallOptions = {},
  ): Promise<RuntimeEnv> {
    const recipe = recipeOf(name);
    const say = onProgress ?? (() => {});
    await mkdir(root, { recursive: true });
    const onWait = (pid: number, waitedMs: number) =>
      say(
        `Waiting for process ${pid}, which is installing ${recipe.title}: ${Math.round(waitedMs / 1000)} s`,
      );
    return withLock(join(root, `.${name}.lock`), { signal, onWait }, async () => {
      // Whoever held the lock may have done the work.
      const found = find(recipe);
      if (found !== undefined) return { env: found.env };
      await sweep(name);
      const startMs = Date.now();
      say(`Installing ${recipe.title}, once for this machine`);
      const plan = await recipe.plan({ signal });
      const staging = await mkdtemp(join(root, `.${name}-${process.pid}-`));
      try {
        await plan.fill(staging, { from, signal, onProgress: say });
        const bytes = await bytesBelow(staging);
        await writeFile(
          join(staging, markerFile),
          JSON.stringify({ name, version: recipe.version, bytes }) + "\n",
        );
        const path = join(root, plan.folder);
        // What stands there is not whole (find refused it), and a rename needs the place empty.
        await rm(path, { recursive: true, force: true });
        await rename(staging, path);
        say(`Installed ${recipe.title}: ${megabytes(bytes)} in ${secondsSince(startMs)}`);
        return { env: recipe.envOf(path)! };
      } finally {
        await rm(staging, { recursive: true, force: true });
      }
    });
  }

  /** Removes what a killed installer left behind. */
  async function sweep(name: RuntimeName): Promise<void> {
    for (const folder of await readdir(root)) {
      const pid = new RegExp(`^\\.${name}-(\\d+)-`).exec(folder)?.[1];
      if (pid === undefined || isAlive(Number(pid))) continue;
      await rm(join(root, folder), { recursive: true, force: true });
    }
  }

  async function list(): Promise<readonly RuntimeStatus[]> {
    return Promise.all(
      names.map(async (name) => {
        const recipe = recipeOf(name);
        const { version } = recipe;
        const found = find(recipe);
        if (found === undefined)
          return {
            name,
            installed: false,
            version,
            path: join(root, recipe.prefix.replace(/-py$/, "")),
            bytes: 0,
          };
        const marker = JSON.parse(await readFile(join(found.path, markerFile), "utf8")) as { bytes?: number };
        return { name, installed: true, version, path: found.path, bytes: marker.bytes ?? 0 };
      }),
    );
  }

  return { ensure, list, install };
}
