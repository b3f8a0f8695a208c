// Programs of this machine that decide what Drydock can serve.
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Tool } from "../cli/index.js";

type Env = Readonly<Record<string, string | undefined>>;

export async function findTools(env: Env): Promise<readonly Tool[]> {
  return Promise.all([python(env), engine(env)]);
}

const askWithinMs = 5_000;
const whoAreYou = "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.executable)";

async function python(env: Env): Promise<Tool> {
  const chosen = env["DRYDOCK_PYTHON_BIN"];
  for (const name of chosen ? [chosen] : ["python3", "python"]) {
    const asked = await promisify(execFile)(name, ["-c", whoAreYou], { timeout: askWithinMs }).catch(
      () => undefined,
    );
    const [, full, major, minor, path] = /^((\d+)\.(\d+)\.\d+) (.+)$/m.exec(asked?.stdout ?? "") ?? [];
    if (major !== "3" || Number(minor) < 9) continue;
    return { name: "python", found: `${full} at ${path}`, gives: "serves scikit-learn models" };
  }
  return { name: "python", found: undefined, gives: "Python 3.9 or newer would serve scikit-learn models" };
}

async function engine(env: Env): Promise<Tool> {
  for (const name of ["docker", "podman"]) {
    const path = await onPath(name, env);
    if (path !== undefined) return { name: "engine", found: path, gives: "not used by this version yet" };
  }
  return { name: "engine", found: undefined, gives: "not needed: built-in servers run as processes" };
}

async function onPath(name: string, env: Env): Promise<string | undefined> {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== "" && usable) return path;
  }
  return undefined;
}
