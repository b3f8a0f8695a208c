// Server-side apply: each manager states the fields it cares for, and nobody overwrites another's by accident.
import type { Resource } from "../../domain/apis/kind.js";
import { equalJson } from "../../domain/apis/schema/index.js";
import { configProblems, withoutNulls } from "./applyConfig.js";
import { mergeApplied, removeFields } from "./applyMerge.js";
import { diffObjects, fieldsOfConfig } from "./fieldDiff.js";
import { difference, type Fields, intersection, isEmpty, pathsOf, sameFields, union } from "./fields.js";
import { isObject, type Obj } from "./json.js";
import { type Entry, entryOf, fieldsOf, type Identity, isOf, less, sorted } from "./managers.js";
import { type PatchInvalid, plainError } from "./outcome.js";
import type { SchemaNode } from "./schemaNode.js";
import { ignoredMembers } from "./trackUpdate.js";

export interface ApplyRequest {
  readonly schema: SchemaNode;
  /** undefined when the object is to be created. */
  readonly live: Resource | undefined;
  readonly config: unknown;
  readonly manager: string;
  readonly apiVersion: string;
  readonly force: boolean;
  readonly nowIso: string;
  readonly subresource: string;
  /** Whether status has its own endpoint; by default when the schema has one. */
  readonly hasStatus?: boolean;
}

export interface ApplyConflict {
  readonly manager: string;
  /** `conflict with "alice"` or `conflict with "ed" using v1`: the cause's message. */
  readonly message: string;
  readonly field: string;
}

export type ApplyOutcome =
  | { readonly outcome: "applied"; readonly object: Resource }
  | { readonly outcome: "conflict"; readonly conflicts: readonly ApplyConflict[]; readonly message: string }
  | PatchInvalid;

/** The live object itself comes back when the configuration changes neither it nor its owners. */
export function serverSideApply(request: ApplyRequest): ApplyOutcome {
  const { schema, live, apiVersion, nowIso } = request;
  const ignored = ignoredMembers(schema, request.subresource, request.hasStatus);
  const read = readConfig(request, ignored);
  if (!read.ok) return read.refusal;
  const { config } = read;

  const identity: Identity = { ...request, operation: "Apply", apiVersion };
  const entries = live?.metadata.managedFields ?? [];
  const others = entries.filter((entry) => !isOf(entry, identity));
  const mine = entries.find((entry) => isOf(entry, identity));

  const wished = fieldsOfConfig(schema, config, ignored);
  const merged = mergeApplied(schema, live ?? {}, config) as Obj;
  const owned = others.reduce((fields, entry) => union(fields, fieldsOf(entry)), wished);
  const abandoned = mine === undefined ? {} : difference(fieldsOf(mine), wished);
  const next = isEmpty(abandoned) ? merged : (removeFields(schema, merged, abandoned, owned) as Obj);

  const base = live as unknown as Obj | undefined;
  const { changed, removed } = diffObjects(schema, base, next, ignored);
  if (!request.force && changed !== undefined) {
    const conflicts = conflictsOf(others, changed);
    if (conflicts.length > 0 && !isTakingOver(request, conflicts)) {
      return { outcome: "conflict", conflicts, message: conflictMessage(conflicts) };
    }
  }

  const rest = others.flatMap((entry) => less(entry, changed, removed) ?? []);
  const same = base !== undefined && changed === undefined && removed === undefined && equalJson(base, next);
  const kept = mine !== undefined && same && sameFields(fieldsOf(mine), wished);
  if (same && (kept || (mine === undefined && isEmpty(wished))))
    return { outcome: "applied", object: live as Resource };
  const managedFields = sorted(isEmpty(wished) ? rest : [...rest, entryOf(identity, wished, nowIso)]);
  const object = next as unknown as Resource;
  return { outcome: "applied", object: { ...object, metadata: { ...object.metadata, managedFields } } };
}

type ReadConfig =
  | { readonly ok: true; readonly config: Obj }
  | { readonly ok: false; readonly refusal: PatchInvalid };

function readConfig({ schema, config }: ApplyRequest, ignored: readonly string[]): ReadConfig {
  if (!isObject(config)) return badRequest("error decoding patch: an apply patch must be an object");
  const { apiVersion, kind, metadata } = config;
  if (typeof apiVersion !== "string" || apiVersion === "" || typeof kind !== "string" || kind === "") {
    return badRequest(`invalid object type: ${String(apiVersion ?? "/")}, Kind=${String(kind ?? "")}`);
  }
  const meta = isObject(metadata) ? metadata : {};
  const managed = meta["managedFields"];
  if (managed !== undefined && managed !== null) return badRequest("metadata.managedFields must be nil");
  const problems = configProblems(schema, config);
  if (problems.length > 0) {
    const name = `${String(meta["namespace"] ?? "")}/${String(meta["name"] ?? "")}`;
    const list = problems.length === 1 ? problems[0] : `errors:\n  ${problems.join("\n  ")}`;
    const message = `failed to create typed patch object (${name}; ${apiVersion}, Kind=${kind}): ${list}`;
    return { ok: false, refusal: plainError(message) };
  }
  const clean = withoutNulls(schema, config) as Obj;
  const { managedFields: _, ...metaFields } = (clean["metadata"] ?? {}) as Obj;
  const kept = Object.entries(clean).filter(([name]) => !ignored.includes(name));
  return { ok: true, config: { ...Object.fromEntries(kept), metadata: metaFields } };
}

function badRequest(message: string): ReadConfig {
  return { ok: false, refusal: { outcome: "invalid", code: 400, reason: "BadRequest", message } };
}

function conflictsOf(others: readonly Entry[], changed: Fields): readonly ApplyConflict[] {
  return others
    .flatMap((entry) => {
      const shared = intersection(fieldsOf(entry), changed);
      if (shared === undefined) return [];
      const shown = shownManager(entry);
      return pathsOf(shared).map((field) => ({
        manager: entry.manager ?? "",
        message: `conflict with ${shown}`,
        field,
      }));
    })
    .sort((a, b) => (a.message < b.message ? -1 : a.message > b.message ? 1 : 0));
}

function shownManager({ manager, operation, apiVersion, subresource }: Entry): string {
  const name = JSON.stringify(manager ?? "");
  const named =
    subresource === undefined || subresource === ""
      ? name
      : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === "Update" ? `${named} using ${apiVersion}` : named;
}

function conflictMessage(conflicts: readonly ApplyConflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1) return `Apply failed with 1 conflict: ${first?.message}: ${first?.field}`;
  const lines: string[] = [];
  let before = "";
  for (const { message, field } of conflicts) {
    if (message !== before) lines.push(`${message.replace("conflict", "conflicts")}:`);
    before = message;
    lines.push(`- ${field}`);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * kubectl's first server-side apply after client-side ones: the fields it collides on are those its own
 * last-applied annotation lists, so it collides with itself.
 */
function isTakingOver({ schema, live, manager }: ApplyRequest, conflicts: readonly ApplyConflict[]): boolean {
  const text = manager === "kubectl" ? live?.metadata.annotations?.[lastApplied] : undefined;
  if (text === undefined) return false;
  try {
    const before: unknown = JSON.parse(text);
    if (!isObject(before)) return false;
    const listed = new Set(pathsOf(fieldsOfConfig(schema, before, [])));
    return conflicts.every(({ field }) => listed.has(field));
  } catch {
    return false;
  }
}
