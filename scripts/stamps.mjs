// What an install and a build were made from, as short hashes: the lock file, and the sources.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

export function installStamp() {
  return hashOf([`${root}/package-lock.json`], `${process.platform}-${process.arch}`);
}

export function buildStamp() {
  return hashOf(
    [
      `${root}/tsconfig.json`,
      `${root}/scripts/build.mjs`,
      `${root}/scripts/bundle.mjs`,
      `${root}/scripts/notices.mjs`,
      ...sources(`${root}/src`),
    ],
    "",
  );
}

function sources(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      if (statSync(path).isDirectory()) return sources(path);
      return path.endsWith(".ts") && !path.endsWith(".test.ts") ? [path] : [];
    });
}

function hashOf(paths, seed) {
  const hash = createHash("sha256").update(seed);
  for (const path of paths) hash.update(path.slice(root.length)).update("\0").update(readFileSync(path));
  return hash.digest("hex");
}
