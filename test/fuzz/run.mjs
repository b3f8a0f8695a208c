// npm run fuzz -- --cases 100000 --seed 7     compares our front with llhttp on as many cases
// npm run fuzz -- --only 123 --seed 7         one case, with everything both made of it
// npm run fuzz -- --http node                 the front on node:http instead
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: "string" },
    http: { type: "string", default: "net" },
  },
});
const root = fileURLToPath(new URL("../..", import.meta.url));
const env = {
  ...process.env,
  DRYDOCK_FUZZ_CASES: values.cases,
  DRYDOCK_FUZZ_SEED: values.seed,
  DRYDOCK_GATEWAY_HTTP: values.http,
  ...(values.only !== undefined && { DRYDOCK_FUZZ_ONLY: values.only }),
};
const args = [
  "node_modules/vitest/vitest.mjs",
  "run",
  "test/fuzz/fuzz.test.ts",
  "--disable-console-intercept",
];
process.exit(spawnSync(process.execPath, args, { cwd: root, env, stdio: "inherit" }).status ?? 1);
