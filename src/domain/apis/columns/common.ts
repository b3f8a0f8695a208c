// The columns nearly every table has, and the few words for "nothing" that they share.
import type { Column, Resource } from "../kind.js";
import { ageText } from "./age.js";

export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name must be unique within a namespace.",
  cell: (object) => object.metadata.name,
};

export const ageColumn: Column = {
  name: "Age",
  type: "string",
  description: "How long ago the object was created.",
  cell: (object, nowMs) => ageText(object.metadata.creationTimestamp, nowMs),
};

/** Some kinds show the time itself. */
export const createdAtColumn: Column = {
  name: "Created At",
  type: "date",
  description: "When the object was created.",
  cell: (object) => object.metadata.creationTimestamp ?? null,
};

type Cell<T> = NonNullable<Column<T>["cell"]>;

export function text<T extends Resource>(name: string, cell: Cell<T>, description = ""): Column<T> {
  return { name, type: "string", cell, ...(description === "" ? {} : { description }) };
}

export function number<T extends Resource>(name: string, cell: Cell<T>, description = ""): Column<T> {
  return { name, type: "integer", cell, ...(description === "" ? {} : { description }) };
}

/** Shown with -o wide only. */
export function wide<T extends Resource>(column: Column<T>): Column<T> {
  return { ...column, priority: 1 };
}

export const none = "<none>";

export function joinedOrNone(parts: readonly string[]): string {
  return parts.length === 0 ? none : parts.join(",");
}
