// `drydock describe`: an object whole, in words, and what happened to it.
import { discover, type ResourceType } from "../api/discovery.js";
import { type AnyObject, getObject, listObjects, pods } from "../api/resources.js";
import type { Api, Context } from "../context.js";
import { limitLines } from "../limitLines.js";
import { columns } from "../output/columns.js";
import { withApi } from "../session.js";
import { namespaceOf, type Scope, targetsOf } from "../targets.js";
import { ageText } from "../time.js";

export async function describe(context: Context, words: readonly string[], options: Scope): Promise<void> {
  await withApi(context, async (api) => {
    const texts: string[] = [];
    for (const { type, names } of targetsOf(await discover(api), words)) {
      const namespace = namespaceOf(options);
      const found =
        names.length === 0
          ? (await listObjects(api, type, namespace)).items.map(({ metadata }) => metadata.name)
          : names;
      for (const name of found) texts.push(await describeOne(context, api, type, namespace, name));
    }
    context.terminal.out(texts.join("\n\n"));
    if (texts.length === 0)
      context.terminal.err(`No resources found in ${namespaceOf(options)} namespace.\n`);
  });
}

async function describeOne(
  context: Context,
  api: Api,
  type: ResourceType,
  namespace: string,
  name: string,
): Promise<string> {
  const object = await getObject(api, type, namespace, name);
  const { apiVersion, kind, metadata, ...rest } = object;
  const {
    name: _name,
    namespace: _namespace,
    labels,
    annotations,
    managedFields: _fields,
    ...meta
  } = metadata;
  const lines = [
    ...aligned([
      ["Name", name],
      ...(type.namespaced ? [["Namespace", metadata.namespace ?? ""] as const] : []),
      ["Labels", mapText(labels, "=")],
      ["Annotations", mapText(annotations, ": ")],
      ["API Version", apiVersion],
      ["Kind", kind],
    ]),
    ...fields({ metadata: meta, ...rest }, ""),
    ...(await limitLines(api, object)),
    ...(await eventLines(context, api, object)),
  ];
  return `${lines.join("\n")}\n`;
}

const valueColumn = 14;

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([name, value]) => {
    const [first, ...more] = value.split("\n");
    const head = `${name}:`.padEnd(valueColumn) + first;
    return [head, ...more.map((line) => " ".repeat(valueColumn) + line)].join("\n");
  });
}

function mapText(map: Readonly<Record<string, string>> | undefined, between: string): string {
  const texts = Object.entries(map ?? {}).map(([key, value]) => `${key}${between}${value}`);
  return texts.length === 0 ? "<none>" : texts.sort().join("\n");
}

/** Nested fields, indented; siblings' values stand in one column. */
function fields(value: Readonly<Record<string, unknown>>, indent: string): string[] {
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined && member !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const plain = entries.filter(([, member]) => typeof member !== "object");
  const width = Math.max(0, ...plain.map(([key]) => titled(key).length)) + 3;
  return entries.flatMap(([key, member]) => {
    if (typeof member !== "object") {
      const text = String(member).replaceAll("\n", `\n${indent}${" ".repeat(width)}`);
      return [`${indent}${`${titled(key)}:`.padEnd(width)}${text}`];
    }
    return [`${indent}${titled(key)}:`, ...nested(member, `${indent}  `)];
  });
}

function nested(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) =>
      typeof item === "object" ? nested(item, indent) : [`${indent}${String(item)}`],
    );
  }
  return fields(value as Readonly<Record<string, unknown>>, indent);
}

/** `storageUri` as `Storage Uri`; keys that are names keep their spelling. */
function titled(key: string): string {
  if (/[./-]/.test(key)) return key;
  const spaced = key.replace(/([a-z0-9])([A-Z])/g, "$1 $2");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

interface EventObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string;
  readonly lastTimestamp?: string;
  readonly eventTime?: string;
  readonly source?: { readonly component?: string };
  readonly reportingComponent?: string;
}

async function eventLines({ clock }: Context, api: Api, object: AnyObject): Promise<readonly string[]> {
  const { name, namespace, uid } = object.metadata;
  const about = `involvedObject.name=${name},involvedObject.kind=${object.kind}`;
  const query = { fieldSelector: uid === undefined ? about : `${about},involvedObject.uid=${uid}` };
  const eventType = { ...pods, kind: "Event", plural: "events", singular: "event" };
  const list = await listObjects(api, eventType, namespace ?? "default", query);
  const events = list.items as readonly unknown[] as readonly EventObject[];
  if (events.length === 0) return ["Events:       <none>"];
  const nowMs = clock.now();
  const rows = [...events]
    .sort((a, b) => (lastSeen(a) < lastSeen(b) ? -1 : 1))
    .map((event) => {
      const age = ageText(lastSeen(event), nowMs);
      const first = ageText(event.firstTimestamp ?? event.eventTime, nowMs);
      const seen = (event.count ?? 1) > 1 ? `${age} (x${event.count} over ${first})` : age;
      const from = event.source?.component || event.reportingComponent || "";
      return [`  ${event.type ?? ""}`, event.reason ?? "", seen, from, (event.message ?? "").trim()];
    });
  const heads = ["  Type", "Reason", "Age", "From", "Message"];
  const rules = heads.map((head) => head.replace(/\S/g, "-"));
  return ["Events:", ...columns().lines([heads, rules, ...rows])];
}

function lastSeen(event: EventObject): string {
  return event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? "";
}
