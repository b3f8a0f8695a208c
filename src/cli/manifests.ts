// Objects from the files, folders and standard input that `-f` names.
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { AnyObject } from "./api/resources.js";
import type { Context } from "./context.js";
import { CliError, oneLine } from "./errors.js";

export interface Manifest {
  /** The file as the user named it, for messages. */
  readonly source: string;
  readonly object: AnyObject;
}

const endings = [".yaml", ".yml", ".json"];

export async function readManifests(
  sources: readonly string[],
  { cwd, terminal }: Pick<Context, "cwd" | "terminal">,
): Promise<readonly Manifest[]> {
  const manifests: Manifest[] = [];
  for (const source of sources) {
    if (source === "-") {
      manifests.push(...(await parse(await terminal.readStdin(), "STDIN")));
      continue;
    }
    for (const file of await filesOf(source, cwd)) {
      manifests.push(...(await parse(await readFile(resolve(cwd, file), "utf8"), file)));
    }
  }
  if (manifests.length === 0) throw new CliError(`no objects found in ${sources.join(", ")}`);
  return manifests;
}

async function filesOf(source: string, cwd: string): Promise<readonly string[]> {
  const found = await stat(resolve(cwd, source)).catch(() => undefined);
  if (found === undefined) throw new CliError(`the path "${source}" does not exist`);
  if (!found.isDirectory()) return [source];
  const names = (await readdir(resolve(cwd, source))).sort();
  return names.filter((name) => endings.some((end) => name.endsWith(end))).map((name) => join(source, name));
}

async function parse(text: string, source: string): Promise<readonly Manifest[]> {
  // JSON is YAML too; one parser reads both.
  const { parseAllDocuments } = await import("yaml");
  const documents = parseAllDocuments(text, { merge: true });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) {
      throw new CliError(`error parsing ${source}: ${oneLine(problem.message.split("\n")[0] ?? "")}`);
    }
    const value: unknown = document.toJS({ maxAliasCount: maxAliases });
    return value === null || value === undefined ? [] : objectsIn(value, source);
  });
}

/** Aliases can make a small file endless. */
const maxAliases = 100;

function objectsIn(value: unknown, source: string): readonly Manifest[] {
  const object = value as Partial<AnyObject> & { readonly items?: readonly unknown[] };
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new CliError(`error validating "${source}": a document is not an object`);
  }
  if (!object.kind) throw new CliError(`error validating "${source}": Object 'Kind' is missing`);
  if (!object.apiVersion) throw new CliError(`error validating "${source}": apiVersion not set`);
  if (object.kind.endsWith("List") && Array.isArray(object.items)) {
    return object.items.flatMap((item) => objectsIn(item, source));
  }
  if (!object.metadata?.name && !object.metadata?.generateName) {
    throw new CliError(`error validating "${source}": resource name may not be empty`);
  }
  return [{ source, object: object as AnyObject }];
}
