// `drydock get`: objects as the server's own tables, or whole.
import { discover, type ResourceType, wordFor } from "../api/discovery.js";
import { type AnyObject, getObject, listObjects, pathOf, watchLines } from "../api/resources.js";
import type { Api, Context, Query } from "../context.js";
import { CliError, errorLine, Quiet, usageError } from "../errors.js";
import { objectText, withoutManagedFields } from "../output/objects.js";
import { type ServerTable, tableAccept, tablePrinter } from "../output/serverTable.js";
import { withApi } from "../session.js";
import { namespaceOf, type Scope, type Target, targetsOf } from "../targets.js";

export interface GetOptions extends Scope {
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly output?: string;
  readonly watch?: boolean;
  readonly showLabels?: boolean;
  readonly headers?: boolean;
  readonly ignoreNotFound?: boolean;
}

const formats = ["wide", "json", "yaml", "name"];

export async function get(context: Context, words: readonly string[], options: GetOptions): Promise<void> {
  if (options.output !== undefined && !formats.includes(options.output)) {
    throw usageError(`unable to match a printer for "-o ${options.output}": choose ${formats.join("|")}.`);
  }
  if (words.length > 1 && options.allNamespaces) {
    throw usageError("a resource cannot be retrieved by name across all namespaces");
  }
  await withApi(context, async (api) => {
    const targets = targetsOf(await discover(api), words);
    if (options.watch) return watchOne(context, api, targets, options);
    if (options.output === undefined || options.output === "wide") {
      return printTables(context, api, targets, options);
    }
    return printObjects(context, api, targets, options);
  });
}

async function printTables(
  context: Context,
  api: Api,
  targets: readonly Target[],
  options: GetOptions,
): Promise<void> {
  const { terminal } = context;
  const failures = makeFailures(context, options);
  let printed = 0;
  for (const target of targets) {
    const printer = printerFor(target.type, targets.length > 1, options);
    const tables = await tablesOf(api, target, options, failures);
    const lines = tables.flatMap((table) => printer.lines(table));
    if (lines.length === 0) continue;
    terminal.out(`${printed > 0 ? "\n" : ""}${lines.join("\n")}\n`);
    printed += 1;
  }
  if (printed === 0 && failures.count === 0 && !options.ignoreNotFound)
    terminal.err(`${noneFound(targets, options)}\n`);
  failures.end();
}

function printerFor(type: ResourceType, several: boolean, options: GetOptions) {
  return tablePrinter({
    wide: options.output === "wide",
    namespaces: options.allNamespaces === true && type.namespaced,
    labels: options.showLabels === true,
    headers: options.headers !== false,
    prefix: several ? `${wordFor(type)}/` : "",
  });
}

async function tablesOf(
  api: Api,
  { type, names }: Target,
  options: GetOptions,
  failures: Failures,
): Promise<readonly ServerTable[]> {
  const namespace = options.allNamespaces ? undefined : namespaceOf(options);
  const read = (name: string | undefined, query: Query = {}) =>
    api.request({ path: pathOf(type, namespace, name), query, accept: tableAccept }) as Promise<ServerTable>;
  if (names.length === 0) {
    const pages: ServerTable[] = [];
    let next: string | undefined;
    do {
      const page = await read(undefined, { ...selection(options), limit: pageSize, continue: next });
      pages.push(page);
      next = page.metadata?.continue || undefined;
    } while (next !== undefined);
    return pages;
  }
  const tables: ServerTable[] = [];
  for (const name of names) await failures.try(async () => tables.push(await read(name)));
  return tables;
}

const pageSize = 500;

async function printObjects(
  context: Context,
  api: Api,
  targets: readonly Target[],
  options: GetOptions,
): Promise<void> {
  const failures = makeFailures(context, options);
  const objects: { readonly type: ResourceType; readonly object: AnyObject }[] = [];
  for (const { type, names } of targets) {
    if (names.length === 0) {
      const namespace = options.allNamespaces ? undefined : namespaceOf(options);
      const list = await listObjects(api, type, namespace, selection(options));
      const { apiVersion } = list;
      // Items of a list leave out what the list says once.
      for (const item of list.items) objects.push({ type, object: { ...item, apiVersion, kind: type.kind } });
    }
    for (const name of names) {
      await failures.try(async () => {
        objects.push({ type, object: await getObject(api, type, namespaceOf(options), name) });
      });
    }
  }
  const { terminal } = context;
  if (options.output === "name") {
    for (const { type, object } of objects) terminal.out(`${wordFor(type)}/${object.metadata.name}\n`);
  } else {
    const items = objects.map(({ object }) => withoutManagedFields(object));
    const single = targets.length === 1 && targets[0]?.names.length === 1;
    const list = { apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } };
    const shown = single ? items[0] : list;
    if (shown !== undefined) terminal.out(await objectText(shown, options.output as "json" | "yaml"));
  }
  failures.end();
}

async function watchOne(
  context: Context,
  api: Api,
  targets: readonly Target[],
  options: GetOptions,
): Promise<void> {
  const [target] = targets;
  if (target === undefined || targets.length > 1 || target.names.length > 1) {
    throw new CliError("you may only watch one kind, or one object, at a time");
  }
  const { terminal, signal } = context;
  const { type, names } = target;
  const namespace = options.allNamespaces ? undefined : namespaceOf(options);
  const byName = names.length === 1 ? { fieldSelector: `metadata.name=${names[0]}` } : selection(options);
  const printer = printerFor(type, false, options);
  const asTable = options.output === undefined || options.output === "wide";
  const accept = asTable ? tableAccept : "application/json";
  const path = pathOf(type, namespace);

  const show = async (object: unknown): Promise<void> => {
    if (asTable) {
      const lines = printer.lines(object as ServerTable);
      if (lines.length > 0) terminal.out(`${lines.join("\n")}\n`);
    } else if (options.output === "name") {
      terminal.out(`${wordFor(type)}/${(object as AnyObject).metadata.name}\n`);
    } else {
      const text = await objectText(
        withoutManagedFields(object as AnyObject),
        options.output as "json" | "yaml",
      );
      terminal.out(options.output === "yaml" ? `---\n${text}` : text);
    }
  };

  const list = await api.request({ path, query: byName, accept });
  const { metadata } = list as ServerTable;
  if (asTable) await show(list);
  else for (const item of (list as { readonly items: readonly AnyObject[] }).items) await show(item);
  const query = { ...byName, watch: true, resourceVersion: metadata?.resourceVersion };
  for await (const event of watchLines(await api.stream({ path, query, accept, signal }))) {
    if (event.type === "BOOKMARK") continue;
    if (event.type === "ERROR") throw new CliError(event.object.message ?? "the watch ended; run it again");
    await show(event.object);
  }
}

function selection({ selector, fieldSelector }: GetOptions): Query {
  return { labelSelector: selector, fieldSelector };
}

function noneFound(targets: readonly Target[], options: GetOptions): string {
  const within = !options.allNamespaces && targets.some(({ type }) => type.namespaced);
  return within ? `No resources found in ${namespaceOf(options)} namespace.` : "No resources found";
}

/** One name that is not there does not keep the others from being shown. */
interface Failures {
  readonly count: number;
  try(work: () => Promise<unknown>): Promise<void>;
  end(): void;
}

function makeFailures({ terminal, signal }: Context, { ignoreNotFound }: GetOptions): Failures {
  let count = 0;
  return {
    get count() {
      return count;
    },
    async try(work) {
      try {
        await work();
      } catch (error) {
        if (signal.aborted) throw error;
        if (ignoreNotFound && (error as { reason?: string }).reason === "NotFound") return;
        count += 1;
        terminal.err(`${errorLine(error)}\n`);
      }
    },
    end() {
      if (count > 0) throw new Quiet(1);
    },
  };
}
