// Finds the one model file in the folder that storage filled.

import { existsSync, readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { StartupError } from "./errors.js";

/** A folder with thousands of files is named by its first few. */
const shownFiles = 10;

export interface ModelFile {
  readonly path: string;
  /** The path as the user knows it. */
  readonly label: string;
}

export function findModelFile(dir: string, dirLabel: string, extensions: readonly string[]): ModelFile {
  const looked = extensions.map((extension) => `*${extension}`).join(", ");
  if (!existsSync(dir)) {
    throw new StartupError(
      `No model file in ${dirLabel}: looked for ${looked}, but the folder does not exist.`,
    );
  }
  // A path to the file itself is taken at its word; storage may have mounted exactly one file.
  if (statSync(dir).isFile()) return { path: dir, label: dirLabel };

  const names = readdirSync(dir).sort();
  const models = names.filter(
    (name) => extensions.includes(extname(name)) && statSync(join(dir, name)).isFile(),
  );
  const labels = models.map((name) => join(dirLabel, name));
  if (models.length > 1) {
    // Upstream's words, a Python list and all: users search for them.
    const list = labels.map((label) => `'${label}'`).join(", ");
    throw new StartupError(
      `More than one model file is detected, Only one is allowed within model_dir: [${list}]`,
    );
  }
  const [model] = models;
  if (model === undefined) {
    throw new StartupError(
      `No model file in ${dirLabel}: looked for ${looked}, found: ${describe(dir, names)}`,
    );
  }
  return { path: join(dir, model), label: labels[0]! };
}

function describe(dir: string, names: readonly string[]): string {
  if (names.length === 0) return "nothing";
  const shown = names.slice(0, shownFiles).map((name) => (isFolder(join(dir, name)) ? `${name}/` : name));
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
