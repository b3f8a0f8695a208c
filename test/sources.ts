// The project's own sources, for the fences.
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Paths below src/, with forward slashes. */
export function sourceFiles(folder = ""): readonly string[] {
  return readdirSync(`${root}/src/${folder}`).flatMap((name) => {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (statSync(`${root}/src/${path}`).isDirectory()) return sourceFiles(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}
