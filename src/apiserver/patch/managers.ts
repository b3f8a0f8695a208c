// The entries of metadata.managedFields: who owns which fields.
import type { ManagedFieldsEntry } from "../../domain/apis/meta/meta.types.js";
import { difference, type Fields, isEmpty, sameFields } from "./fields.js";
import { isObject } from "./json.js";

export type Entry = ManagedFieldsEntry;

export interface Identity {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
}

export function isOf(entry: Entry, { manager, operation, apiVersion, subresource }: Identity): boolean {
  return (
    entry.manager === manager &&
    entry.operation === operation &&
    entry.apiVersion === apiVersion &&
    (entry.subresource ?? "") === subresource
  );
}

export function fieldsOf(entry: Entry): Fields {
  return isObject(entry.fieldsV1) ? (entry.fieldsV1 as Fields) : {};
}

export function entryOf(identity: Identity, fieldsV1: Fields, time: string): Entry {
  const { manager, operation, apiVersion, subresource } = identity;
  const entry = { manager, operation, apiVersion, time, fieldsType: "FieldsV1", fieldsV1 };
  return subresource === "" ? entry : { ...entry, subresource };
}

/** The entry less some fields; undefined when nothing is left, itself when nothing was lost. */
export function less(entry: Entry, ...lost: readonly (Fields | undefined)[]): Entry | undefined {
  const before = fieldsOf(entry);
  const after = lost.reduce<Fields>(
    (fields, one) => (one === undefined ? fields : difference(fields, one)),
    before,
  );
  if (after === before || sameFields(after, before)) return entry;
  return isEmpty(after) ? undefined : { ...entry, fieldsV1: after };
}

/** Appliers first, then by time and name. */
export function sorted(entries: readonly Entry[]): readonly Entry[] {
  return [...entries].sort(
    (a, b) =>
      order(a.operation, b.operation) ||
      order(a.time, b.time) ||
      order(a.manager, b.manager) ||
      order(a.apiVersion, b.apiVersion) ||
      order(a.subresource, b.subresource),
  );
}

function order(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
