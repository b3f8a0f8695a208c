// `drydock delete`: by kind and name, by label, or by the files objects came from.
import { discover, type ResourceType, wordFor } from "../api/discovery.js";
import { type AnyObject, findObject, listObjects, pathOf, watchLines } from "../api/resources.js";
import type { Api, Context } from "../context.js";
import { errorLine, Quiet, usageError } from "../errors.js";
import { readManifests } from "../manifests.js";
import { progress } from "../output/live.js";
import { withApi } from "../session.js";
import { namespaceOf, type Scope, targetsOf } from "../targets.js";
import { placed } from "./apply.js";

export interface DeleteOptions extends Scope {
  readonly filename?: readonly string[];
  readonly selector?: string;
  readonly all?: boolean;
  readonly wait: boolean;
  readonly ignoreNotFound?: boolean;
  readonly gracePeriod?: number;
}

interface Doomed {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
}

export async function remove(
  context: Context,
  words: readonly string[],
  options: DeleteOptions,
): Promise<void> {
  const { terminal, signal } = context;
  if (words.length === 0 && options.filename === undefined) {
    throw usageError("say what to delete: KIND NAME, KIND/NAME or -f FILE.");
  }
  if (words.length > 0 && options.filename !== undefined) {
    throw usageError("name either files or kinds, not both.");
  }
  await withApi(context, async (api) => {
    const doomed = await whatToDelete(context, api, words, options);
    if (doomed.length === 0) terminal.err("No resources found\n");
    let failed = false;
    const going: { readonly one: Doomed; readonly uid: string | undefined }[] = [];
    for (const one of doomed) {
      try {
        going.push({ one, uid: await deleteOne(api, one, options) });
        terminal.out(`${wordFor(one.type)} "${one.name}" deleted\n`);
      } catch (error) {
        if (signal.aborted) throw error;
        if (options.ignoreNotFound && (error as { reason?: string }).reason === "NotFound") continue;
        failed = true;
        terminal.err(`${errorLine(error)}\n`);
      }
    }
    if (options.wait) for (const { one, uid } of going) await untilGone(context, api, one, uid);
    if (failed) throw new Quiet(1);
  });
}

async function whatToDelete(
  context: Context,
  api: Api,
  words: readonly string[],
  options: DeleteOptions,
): Promise<readonly Doomed[]> {
  const types = await discover(api);
  if (options.filename !== undefined) {
    const manifests = await readManifests(options.filename, context);
    return manifests.map((manifest) => {
      const { type, namespace, object } = placed(types, manifest, options.namespace);
      return { type, namespace, name: object.metadata.name };
    });
  }
  const doomed: Doomed[] = [];
  for (const { type, names } of targetsOf(types, words)) {
    const namespace = namespaceOf(options);
    for (const name of names) doomed.push({ type, namespace, name });
    if (names.length > 0) continue;
    if (!options.all && options.selector === undefined) {
      throw usageError(
        "resource(s) were provided, but no name was specified: add a name, -l SELECTOR or --all.",
      );
    }
    const within = options.allNamespaces ? undefined : namespace;
    const list = await listObjects(api, type, within, { labelSelector: options.selector });
    for (const { metadata } of list.items) {
      doomed.push({ type, namespace: metadata.namespace ?? "", name: metadata.name });
    }
  }
  return doomed;
}

/** Gives the uid of what goes, since another object may soon have its name. */
async function deleteOne(
  api: Api,
  { type, namespace, name }: Doomed,
  { gracePeriod }: DeleteOptions,
): Promise<string | undefined> {
  const answer = (await api.request({
    method: "DELETE",
    path: pathOf(type, namespace, name),
    body: JSON.stringify({
      propagationPolicy: "Background",
      ...(gracePeriod === undefined ? {} : { gracePeriodSeconds: gracePeriod }),
    }),
  })) as Partial<AnyObject> & { readonly details?: { readonly uid?: string } };
  return answer.details?.uid ?? answer.metadata?.uid;
}

async function untilGone(context: Context, api: Api, doomed: Doomed, uid: string | undefined): Promise<void> {
  const { type, namespace, name } = doomed;
  const found = await findObject(api, type, namespace, name);
  if (found === undefined || (uid !== undefined && found.metadata.uid !== uid)) return;
  const shown = progress(context.terminal);
  shown.say(`waiting for ${wordFor(type)} "${name}" to end`);
  const watch = { fieldSelector: `metadata.name=${name}`, watch: true };
  const query = { ...watch, resourceVersion: found.metadata.resourceVersion };
  const path = pathOf(type, namespace);
  for await (const event of watchLines(await api.stream({ path, query, signal: context.signal }))) {
    if (event.type === "DELETED") break;
    // Told that the watch cannot say: look again.
    if (event.type === "ERROR") return untilGone(context, api, doomed, uid);
  }
  shown.done();
}
