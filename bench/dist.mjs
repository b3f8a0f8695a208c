// Where the built program is, and what the command line says; for parts of a benchmark that are processes of their own.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** `--name value`, or what is usual. */
export function option(name, usual) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? usual : process.argv[at + 1];
}

export const dist = resolve(option("dist", join(root, "dist")));
if (!existsSync(join(dist, "cmd/cli.js"))) {
  console.error(`there is no ${join(dist, "cmd/cli.js")}; run npm run build first`);
  process.exit(1);
}
export const fromDist = (path) => import(pathToFileURL(join(dist, path)).href);
