// `drydock apply -f`: what the files say becomes what the server holds.
import { discover, type ResourceType, typeOfObject, wordFor } from "../api/discovery.js";
import { type AnyObject, applyObject, createObject, findObject } from "../api/resources.js";
import type { Api, Context } from "../context.js";
import { CliError, errorLine, Quiet } from "../errors.js";
import { type Manifest, readManifests } from "../manifests.js";
import { objectText, withoutManagedFields } from "../output/objects.js";
import { withApi } from "../session.js";
import { namespaceOf } from "../targets.js";

export interface ApplyOptions {
  readonly filename: readonly string[];
  readonly serverSide?: boolean;
  readonly forceConflicts?: boolean;
  readonly namespace?: string;
  readonly dryRun?: string;
  readonly output?: string;
}

export async function apply(context: Context, options: ApplyOptions): Promise<void> {
  const manifests = await readManifests(options.filename, context);
  await withApi(context, async (api) => {
    const types = await discover(api);
    let failed = false;
    for (const manifest of manifests) {
      try {
        context.terminal.out(await applyOne(api, types, manifest, options));
      } catch (error) {
        if (context.signal.aborted) throw error;
        failed = true;
        context.terminal.err(`${errorLine(error)}\n`);
      }
    }
    if (failed) throw new Quiet(1);
  });
}

async function applyOne(
  api: Api,
  types: readonly ResourceType[],
  manifest: Manifest,
  options: ApplyOptions,
): Promise<string> {
  const { type, namespace, object } = placed(types, manifest, options.namespace);
  const dryRun = options.dryRun === "server";
  const word = wordFor(type);
  if (object.metadata.name === undefined) {
    const made = await createObject(api, type, namespace, object);
    return `${word}/${made.metadata.name} created\n`;
  }
  const before = await findObject(api, type, namespace, object.metadata.name);
  // Conflicts stop an apply only where they were asked about, as with kubectl.
  const force = !options.serverSide || options.forceConflicts === true;
  const after = await applyObject(api, type, namespace, object, { force, dryRun });
  if (options.output === "json" || options.output === "yaml") {
    return objectText(withoutManagedFields(after), options.output);
  }
  if (options.output === "name") return `${word}/${after.metadata.name}\n`;
  const verb = options.serverSide ? "serverside-applied" : verbFor(before, after);
  return `${word}/${after.metadata.name} ${verb}${dryRun ? " (server dry run)" : ""}\n`;
}

/** Where an object of a file goes, and as what. */
export function placed(
  types: readonly ResourceType[],
  { source, object }: Manifest,
  asked: string | undefined,
) {
  const type = typeOfObject(types, object);
  const own = object.metadata.namespace;
  if (type === undefined) {
    throw new CliError(
      `resource mapping not found for name: "${object.metadata.name ?? ""}" namespace: "${own ?? ""}" from "${source}": ` +
        `no matches for kind "${object.kind}" in version "${object.apiVersion}"`,
    );
  }
  if (!type.namespaced) return { type, namespace: "", object };
  if (asked && own && own !== asked) {
    throw new CliError(
      `the namespace from the provided object "${own}" does not match the namespace "${asked}". ` +
        `You must pass '--namespace=${own}' to perform this operation.`,
    );
  }
  const namespace = own ?? namespaceOf({ namespace: asked });
  return { type, namespace, object: { ...object, metadata: { ...object.metadata, namespace } } };
}

function verbFor(before: AnyObject | undefined, after: AnyObject): string {
  if (before === undefined) return "created";
  return wishOf(before) === wishOf(after) ? "unchanged" : "configured";
}

/** The object without what others write meanwhile: a controller's status must not look like a change of ours. */
function wishOf({ status: _status, metadata, ...rest }: AnyObject): string {
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...own } = metadata;
  return JSON.stringify(sorted({ ...rest, metadata: own }));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}
