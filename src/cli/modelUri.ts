// What `--model` means: a URI as it is, or a path of this machine; and the format its file names give away.
import { readdir, stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { CliError, usageError } from "./errors.js";

export interface Model {
  readonly uri: string;
  readonly format: string;
}

const formats: Readonly<Record<string, string>> = {
  ".onnx": "onnx",
  ".joblib": "sklearn",
  ".pkl": "sklearn",
  ".pickle": "sklearn",
};

export async function modelFrom(
  given: string,
  format: string | undefined,
  { cwd, examples }: { readonly cwd: string; readonly examples: string },
): Promise<Model> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "file") {
    return { uri: given, format: format ?? formatOf([new URL(given).pathname], given) };
  }
  const path = resolve(cwd, given.replace(/^file:\/\//i, ""));
  const uri = `file://${path}`;
  if (format !== undefined) return { uri, format };
  // The examples have a path of their own that is no folder of this machine.
  return {
    uri,
    format: formatOf(await filesAt(path.replace(/^\/drydock\/examples(?=\/)/, examples)), given),
  };
}

async function filesAt(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new CliError(`there is no model at ${path}. Check --model.`);
  return found.isDirectory() ? readdir(path) : [path];
}

function formatOf(names: readonly string[], given: string): string {
  const found = new Set(names.flatMap((name) => formats[extname(name).toLowerCase()] ?? []));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const why =
    only === undefined ? "nothing in it gives away" : `it holds ${[...found].join(" and ")}, which hides`;
  throw usageError(`${given}: ${why} the model's format. Say it with --format, such as onnx or sklearn.`);
}
