// `npm run scenarios [-- NAME]`: every scenario, a line each; then those that can be had with real processes.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const names = process.argv.slice(2).flatMap((name) => ["-t", name]);
const parts = ["test/scenarios/scenarios.test.ts", "test/scenarios/real.test.ts"];

const codes = parts.map((file) => {
  const { status } = spawnSync(
    process.execPath,
    [vitest, "run", file, ...names, "--passWithNoTests", "--reporter", join(root, "test/scenarios/lines.ts")],
    { cwd: root, stdio: "inherit", env: { ...process.env, DRYDOCK_SCENARIOS: "all" } },
  );
  process.stdout.write("\n");
  return status ?? 1;
});
process.exitCode = Math.max(...codes);
