// Makes a fresh clone ready: installs from the lock file and builds, each only when missing or stale.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { buildStamp, installStamp, root } from "./stamps.mjs";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Drydock needs Node.js 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

const installed = `${root}/node_modules/.drydock-stamp`;
if (read(installed) !== installStamp()) {
  console.error("Installing dependencies from the lock file...");
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(installed, installStamp());
}
if (read(`${root}/dist/.stamp`) !== buildStamp()) {
  console.error("Building...");
  run(process.execPath, [`${root}/scripts/build.mjs`]);
}

function read(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (done.error) console.error(`Could not run ${command}: ${done.error.message}`);
  if (done.status !== 0) process.exit(done.status ?? 1);
}
