// Programs of this machine that decide what Drydock can serve.
import { execFile } from "node:child_process";
import { homedir } from "node:os";
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

/** Asked, not only looked for: a command that is installed and an engine that runs are two things. */
async function engine(env: Env): Promise<Tool> {
  const { discoverEngine } = await import("../adapters/engine/index.js");
  const found = await discoverEngine({ env, home: homedir(), platform: process.platform });
  if (found.outcome === "missing") {
    return {
      name: "engine",
      found: undefined,
      gives: `built-in images run as processes; for others: ${found.because}`,
    };
  }
  const { name, version, address } = found.engine;
  return {
    name: "engine",
    found: `${name} ${version} at ${address.url} (${address.from})`,
    gives: "runs images that are not built in",
  };
}
