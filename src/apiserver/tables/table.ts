// A list as the table kubectl prints: the server knows the columns, the client only aligns them.
import { ageColumn, ageText, createdAtColumn, nameColumn } from "../../domain/apis/columns/index.js";
import type { Column, Kind, Resource } from "../../domain/apis/kind.js";
import { evaluateJsonPath, parseJsonPath } from "./jsonPath.js";

export type Cell = string | number | boolean | null;

export interface TableOptions {
  readonly includeObject: "None" | "Metadata" | "Object";
  readonly nowMs: number;
  /** The list's metadata: resourceVersion, continue, remainingItemCount. */
  readonly metadata: { readonly [name: string]: unknown };
  /** False in all but the first event of a watch: columnDefinitions is then null. */
  readonly columns: boolean;
}

export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface TableRow {
  readonly cells: readonly Cell[];
  readonly object?: unknown;
}

export interface Table {
  readonly kind: "Table";
  readonly apiVersion: "meta.k8s.io/v1";
  readonly metadata: { readonly [name: string]: unknown };
  readonly columnDefinitions: readonly ColumnDefinition[] | null;
  readonly rows: readonly TableRow[];
}

export function tableOf(kind: Kind, objects: readonly Resource[], options: TableOptions): Table {
  const columns = columnsOf(kind);
  const readers = columns.map(cellReader);
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: options.metadata,
    columnDefinitions: options.columns ? columns.map(definition) : null,
    rows: objects.map((object) => ({
      cells: readers.map((read) => read(object, options.nowMs)),
      ...shownObject(object, options.includeObject),
    })),
  };
}

/** Built-in kinds list all their columns. Custom kinds get Name before theirs, and Age when they have none. */
function columnsOf({ flavour, columns }: Kind): readonly Column[] {
  if (flavour === "builtin") return columns.length > 0 ? columns : [nameColumn, createdAtColumn];
  return [nameColumn, ...(columns.length > 0 ? columns : [{ ...ageColumn, type: "date" as const }])];
}

function definition({ name, type, format, description, priority }: Column): ColumnDefinition {
  return { name, type, format: format ?? "", description: description ?? "", priority: priority ?? 0 };
}

type Reader = (object: Resource, nowMs: number) => Cell;

function cellReader(column: Column): Reader {
  if (column.cell !== undefined) return column.cell;
  if (column.jsonPath === undefined) return () => null;
  const path = parseJsonPath(column.jsonPath);
  return (object, nowMs) => cellOf(column.type, evaluateJsonPath(path, object)[0], nowMs);
}

function cellOf(type: Column["type"], value: unknown, nowMs: number): Cell {
  if (value === undefined || value === null) return null;
  switch (type) {
    case "date":
      return typeof value === "string" ? ageText(value, nowMs) : null;
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "string":
      return typeof value === "object" ? JSON.stringify(value) : String(value);
  }
}

function shownObject(
  object: Resource,
  include: TableOptions["includeObject"],
): { readonly object?: unknown } {
  switch (include) {
    case "None":
      return {};
    case "Metadata":
      return { object: partialObjectMetadata(object) };
    case "Object":
      return { object };
  }
}

export interface PartialObjectMetadata {
  readonly kind: "PartialObjectMetadata";
  readonly apiVersion: "meta.k8s.io/v1";
  readonly metadata: Resource["metadata"];
}

export function partialObjectMetadata(object: Resource): PartialObjectMetadata {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}
