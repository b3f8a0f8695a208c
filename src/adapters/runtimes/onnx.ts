// ONNX Runtime for Node: from the npm registry by lock file, or from files; other platforms' binaries removed.

import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { cp } from "node:fs/promises";
import { basename, delimiter, dirname, join } from "node:path";
import { withProgress } from "./disk.js";
import { exec, type Ran } from "./exec.js";
import { installMs, probeMs } from "./limits.js";
import { type FillOptions, InstallError, nextStep, type Recipe } from "./recipe.js";
import { unpackVerified } from "./tarball.js";

const packages = ["onnxruntime-node", "onnxruntime-common"] as const;

export function onnxRecipe(pins: string, env: NodeJS.ProcessEnv): Recipe {
  const { version } = JSON.parse(readFileSync(join(pins, "package.json"), "utf8")) as { version: string };
  const platform = `${process.platform}-${process.arch}`;
  const folder = `onnx-${version}-${platform}`;
  const title = `ONNX Runtime ${version}`;

  async function fill(staging: string, options: FillOptions): Promise<void> {
    await withProgress(staging, `Installing ${title}`, options.onProgress, () =>
      options.from === undefined ? fromRegistry(staging, options) : fromFiles(staging, options.from),
    );
    prune(staging);
    await proveItLoads(staging, options);
  }

  async function fromRegistry(staging: string, { signal }: FillOptions): Promise<void> {
    for (const file of ["package.json", "package-lock.json"])
      copyFileSync(join(pins, file), join(staging, file));
    const npm = findNpm(env);
    const args = [
      "ci",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      `--prefix=${staging}`,
    ];
    const ran = await exec(npm.command, [...npm.args, ...args], {
      cwd: staging,
      // The package's own script would fetch GPU libraries from elsewhere; the CPU library is in the package.
      env: { ...npmEnv(env), ONNXRUNTIME_NODE_INSTALL: "skip" },
      signal,
      timeoutMs: installMs,
    });
    signal?.throwIfAborted();
    if (ran.code !== 0) {
      throw new InstallError(
        `npm could not install ${title}: ${npmCause(ran)}. ${nextStep("onnx", ran.stderr)}`,
      );
    }
  }

  async function fromFiles(staging: string, from: string): Promise<void> {
    if (!existsSync(from)) throw new InstallError(`${from} does not exist. Name a folder or a .tgz file.`);
    const source = statSync(from).isFile() ? dirname(from) : from;
    for (const name of packages) {
      const target = join(staging, "node_modules", name);
      const unpacked = [
        join(source, "node_modules", name),
        join(source, name),
        join(dirname(source), name),
        source,
      ];
      const found = unpacked.find((path) => packageIs(path, name, version));
      const tgz = join(source, `${name}-${version}.tgz`);
      if (existsSync(tgz)) await unpackVerified(tgz, target, integrityOf(name));
      else if (found !== undefined) await cp(found, target, { recursive: true, dereference: true });
      else {
        const seen =
          readdirSync(source)
            .slice(0, 5)
            .map((file) => basename(file))
            .join(", ") || "nothing";
        throw new InstallError(
          `${source} holds neither ${name}-${version}.tgz nor an unpacked ${name} ${version} (found: ${seen}). ` +
            `Fetch it elsewhere with \`npm pack ${name}@${version}\`.`,
        );
      }
    }
  }

  function integrityOf(name: string): string {
    const lock = JSON.parse(readFileSync(join(pins, "package-lock.json"), "utf8")) as {
      readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
    };
    const integrity = lock.packages[`node_modules/${name}`]?.integrity;
    if (integrity === undefined) throw new Error(`the lock file of the onnx runtime does not pin ${name}`);
    return integrity;
  }

  async function proveItLoads(staging: string, { signal }: FillOptions): Promise<void> {
    const main = join(staging, "node_modules", "onnxruntime-node");
    const ran = await exec(process.execPath, ["-e", `require(${JSON.stringify(main)})`], {
      signal,
      timeoutMs: probeMs,
    });
    signal?.throwIfAborted();
    if (ran.code === 0) return;
    const because = ran.trouble ?? (/^\w*Error: .*$/m.exec(ran.stderr)?.[0] || `exit code ${ran.code}`);
    throw new InstallError(
      `${title} does not load on this machine: ${because.replaceAll(staging, "")}. ` +
        "It needs a glibc Linux, macOS on arm64 or Windows; serve this model with the sklearn runtime or in a container instead.",
    );
  }

  return {
    name: "onnx",
    title,
    version,
    prefix: folder,
    envOf(path) {
      const main = join(path, "node_modules", "onnxruntime-node");
      return existsSync(join(main, "package.json")) ? { DRYDOCK_ONNXRUNTIME: main } : undefined;
    },
    plan: async () => {
      if (process.platform === "darwin" && process.arch === "x64") {
        throw new InstallError(`${title} has no build for ${platform}. Use a container or another machine.`);
      }
      return { folder, fill };
    },
  };
}

/** Five of six binaries are for other machines, and the helpers are for an install script that never runs. */
function prune(staging: string): void {
  const modules = join(staging, "node_modules");
  for (const name of readdirSync(modules)) {
    if (!packages.some((keep) => keep === name)) rmSync(join(modules, name), { recursive: true });
  }
  const binaries = join(modules, "onnxruntime-node", "bin");
  for (const napi of readdirSync(binaries)) {
    removeOthers(join(binaries, napi), process.platform);
    removeOthers(join(binaries, napi, process.platform), process.arch);
  }
}

function removeOthers(folder: string, kept: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name !== kept) rmSync(join(folder, name), { recursive: true });
  }
}

function packageIs(folder: string, name: string, version: string): boolean {
  try {
    const found = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      name?: string;
      version?: string;
    };
    return found.name === name && found.version === version;
  } catch {
    return false;
  }
}

/** npm as it came with this Node, else the one on PATH. */
function findNpm(env: NodeJS.ProcessEnv): { readonly command: string; readonly args: readonly string[] } {
  const beside = dirname(process.execPath);
  for (const lib of ["../lib/node_modules", "node_modules", "../share/nodejs"]) {
    const cli = join(beside, lib, "npm/bin/npm-cli.js");
    if (existsSync(cli)) return { command: process.execPath, args: [cli] };
  }
  for (const folder of [beside, ...(env["PATH"] ?? "").split(delimiter)]) {
    if (folder !== "" && existsSync(join(folder, "npm"))) return { command: join(folder, "npm"), args: [] };
  }
  throw new InstallError(
    "npm was found neither beside Node.js nor on PATH. Install npm, or install from files with `drydock runtimes install onnx --from FOLDER`.",
  );
}

/** Run from inside `npm run`, npm would take the outer project's folder and switches for ours. */
function npmEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) =>
      !/^npm_(package|lifecycle)_|^npm_config_(local_prefix|prefix|global|workspaces?|dry_run|omit|only)$/i.test(
        name,
      ),
  );
  return Object.fromEntries(kept);
}

function npmCause(ran: Ran): string {
  if (ran.trouble !== undefined) return ran.trouble;
  const lines = ran.stderr
    .split("\n")
    .filter((line) => /^npm (error|ERR!)/.test(line))
    .map((line) => line.replace(/^npm (error|ERR!) ?/, "").trim())
    .filter((line) => line !== "" && !/A complete log|debug-0\.log/.test(line));
  const code = lines.find((line) => line.startsWith("code "))?.slice("code ".length);
  const said =
    lines.find((line) => !/^(code|errno|syscall|path|dest) /.test(line)) ?? `exit code ${ran.code}`;
  return (code === undefined || said.includes(code) ? said : `${code} ${said}`).replace(/\.$/, "");
}
