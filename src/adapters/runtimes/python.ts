// Finds a Python that can hold the scikit-learn runtime.

import { exec } from "./exec.js";
import { probeMs } from "./limits.js";
import { InstallError } from "./recipe.js";

export interface Python {
  readonly executable: string;
  readonly major: number;
  readonly minor: number;
}

/** The span that the pinned wheels cover. */
const oldestMinor = 9;
const newestMinor = 14;

const names = [
  "python3",
  "python",
  ...Array.from({ length: newestMinor - oldestMinor + 1 }, (_, at) => `python3.${newestMinor - at}`),
];

const whoAreYou = "import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)";

export async function findPython(env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<Python> {
  const chosen = env["DRYDOCK_PYTHON_BIN"];
  const seen: string[] = [];
  for (const name of chosen ? [chosen] : names) {
    const ran = await exec(name, ["-c", whoAreYou], { env, signal, timeoutMs: probeMs });
    signal?.throwIfAborted();
    const [, major, minor, executable] = /^(\d+) (\d+) (.+)$/m.exec(ran.stdout) ?? [];
    if (executable === undefined) {
      if (chosen) seen.push(ran.trouble ?? `${name} exited with ${ran.code}`);
      continue;
    }
    const python = { executable, major: Number(major), minor: Number(minor) };
    if (python.major === 3 && python.minor >= oldestMinor && python.minor <= newestMinor) return python;
    seen.push(`${name} is ${major}.${minor}`);
  }
  const found = seen.length === 0 ? "none is on PATH" : seen.join(", ");
  const where = chosen ? `DRYDOCK_PYTHON_BIN=${chosen}` : "PATH";
  throw new InstallError(
    `The sklearn runtime needs Python 3.${oldestMinor} to 3.${newestMinor}, looked for on ${where}: ${found}. ` +
      "Install one, or name it in DRYDOCK_PYTHON_BIN.",
  );
}
