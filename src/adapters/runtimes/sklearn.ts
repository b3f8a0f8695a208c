// scikit-learn in a Python environment of its own, from hash-checked wheels: nothing is compiled, no script runs.

import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { withProgress } from "./disk.js";
import { exec, type Ran } from "./exec.js";
import { installMs, probeMs } from "./limits.js";
import { findPython, type Python } from "./python.js";
import { type FillOptions, InstallError, nextStep, type Recipe } from "./recipe.js";

export function sklearnRecipe(pins: string, env: NodeJS.ProcessEnv): Recipe {
  const requirements = join(pins, "requirements.txt");
  const version = /^scikit-learn==(\S+)/m.exec(readFileSync(requirements, "utf8"))?.[1];
  if (version === undefined) throw new Error(`${requirements} does not pin scikit-learn`);
  const prefix = `sklearn-${version}-${process.platform}-${process.arch}-py`;
  const title = `scikit-learn ${version}`;

  async function fill(python: Python, staging: string, options: FillOptions): Promise<void> {
    const { signal, from, onProgress } = options;
    if (from !== undefined && !existsSync(from)) {
      throw new InstallError(`${from} does not exist. Name a folder of wheels.`);
    }
    const made = await exec(python.executable, ["-m", "venv", staging], {
      env: clean(env),
      signal,
      timeoutMs: installMs,
    });
    signal?.throwIfAborted();
    if (made.code !== 0) throw new InstallError(venvTrouble(python, made));

    const temporary = join(staging, "tmp");
    await mkdir(temporary);
    const source = from === undefined ? [] : ["--no-index", "--find-links", from];
    const pip = [
      "-m",
      "pip",
      "install",
      "--no-input",
      "--quiet",
      "--require-hashes",
      "--only-binary=:all:",
      "--no-compile",
    ];
    const ran = await withProgress(staging, `Installing ${title}`, onProgress, () =>
      exec(join(staging, "bin", "python"), [...pip, ...source, "-r", requirements], {
        cwd: staging,
        // Downloads land inside the folder that is watched, so that progress is seen.
        env: { ...clean(env), TMPDIR: temporary, PIP_DISABLE_PIP_VERSION_CHECK: "1" },
        signal,
        timeoutMs: installMs,
      }),
    );
    signal?.throwIfAborted();
    if (ran.code !== 0) {
      const next = nextStep("sklearn", ran.stderr + ran.stdout);
      throw new InstallError(`pip could not install ${title}: ${pipCause(ran)}. ${next}`);
    }
    await rm(temporary, { recursive: true, force: true });
    await prune(staging);
    onProgress(`Preparing ${title}: compiling its modules, once`);
    await proveItLoads(staging, options);
  }

  async function proveItLoads(staging: string, { signal }: FillOptions): Promise<void> {
    const ran = await exec(join(staging, "bin", "python"), ["-c", warmUp], {
      env: clean(env),
      signal,
      timeoutMs: probeMs * 8,
    });
    signal?.throwIfAborted();
    if (ran.code === 0) return;
    const because = ran.trouble ?? lastLine(ran.stderr) ?? `exit code ${ran.code}`;
    throw new InstallError(
      `${title} does not load on this machine: ${because}. Try another Python with DRYDOCK_PYTHON_BIN.`,
    );
  }

  return {
    name: "sklearn",
    title,
    version,
    prefix,
    envOf(folder) {
      // A link into a Python that was uninstalled since is not an installation.
      const python = join(folder, "bin", "python");
      return existsSync(python) ? { DRYDOCK_PYTHON: python } : undefined;
    },
    async plan({ signal }) {
      const python = await findPython(env, signal);
      return {
        folder: `${prefix}${python.major}.${python.minor}`,
        fill: (staging, options) => fill(python, staging, options),
      };
    },
  };
}

/** Proves that the wheels fit this machine, and leaves the modules that most models need compiled. */
const warmUp =
  "import joblib, pandas, sklearn.compose, sklearn.ensemble, sklearn.linear_model, sklearn.neighbors, " +
  "sklearn.neural_network, sklearn.pipeline, sklearn.preprocessing, sklearn.svm, sklearn.tree";

/** Test suites and the installer itself: a third of the size, and a model server has no use for either. */
async function prune(staging: string): Promise<void> {
  const packages = await readdir(join(staging, "lib"));
  for (const python of packages.filter((name) => name.startsWith("python"))) {
    const site = join(staging, "lib", python, "site-packages");
    for (const name of await readdir(site)) {
      if (/^(pip|setuptools|pkg_resources|_distutils_hack|distutils-precedence\.pth)(-|$)/.test(name))
        await rm(join(site, name), { recursive: true });
    }
    // NumPy's own are left alone: its testing module, which SciPy imports, reaches into them.
    for (const name of ["pandas", "scipy", "sklearn"]) await removeTests(join(site, name));
  }
}

async function removeTests(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    if (entry.name === "tests") await rm(path, { recursive: true });
    else await removeTests(path);
  }
}

/** Another environment's variables must not lead this one's Python astray, nor keep it from compiling. */
function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const strange =
    /^(PYTHON(HOME|PATH|DONTWRITEBYTECODE|PYCACHEPREFIX)|VIRTUAL_ENV|PIP_(TARGET|USER|PREFIX))$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !strange.test(name)));
}

function venvTrouble(python: Python, ran: Ran): string {
  const said = ran.stderr + ran.stdout;
  const which = `Python ${python.major}.${python.minor} (${python.executable})`;
  if (/No module named venv|ensurepip is not|No module named ensurepip|python3[\d.]*-venv/.test(said)) {
    return `${which} has no venv module. Install it (Debian and Ubuntu: apt-get install python3-venv), or name another Python in DRYDOCK_PYTHON_BIN.`;
  }
  return `${which} could not make an environment: ${ran.trouble ?? lastLine(said) ?? `exit code ${ran.code}`}. ${nextStep("sklearn", said)}`;
}

function pipCause(ran: Ran): string {
  if (ran.trouble !== undefined) return ran.trouble;
  const errors = ran.stderr.split("\n").filter((line) => line.startsWith("ERROR: "));
  const said = errors.at(-1)?.slice("ERROR: ".length) ?? lastLine(ran.stderr) ?? `exit code ${ran.code}`;
  return said.trim().replace(/[.:]$/, "");
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split("\n").at(-1)?.trim() || undefined;
}
