// Compiles src/ to dist/, joins each program into few files, and stamps what it was built from, so that setup can tell fresh from stale.
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { bundle } from "./bundle.mjs";
import { buildStamp, root } from "./stamps.mjs";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
rmSync(`${root}/dist`, { recursive: true, force: true });
const built = spawnSync(process.execPath, [tsc, "-p", `${root}/tsconfig.json`], { stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);
await bundle(`${root}/dist`);
writeFileSync(`${root}/dist/.stamp`, buildStamp());
