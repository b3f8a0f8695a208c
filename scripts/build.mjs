// Compiles src/ to dist/ and stamps what it was built from, so that setup can tell fresh from stale.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { buildStamp, root } from "./stamps.mjs";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
rmSync(`${root}/dist`, { recursive: true, force: true });
const built = spawnSync(process.execPath, [tsc, "-p", `${root}/tsconfig.json`], { stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);
mkdirSync(`${root}/dist`, { recursive: true });
writeFileSync(`${root}/dist/.stamp`, buildStamp());
