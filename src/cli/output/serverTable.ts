// The server's own Tables (meta.k8s.io/v1) as text, the way kubectl prints them.
import { type Columns, columns } from "./columns.js";

export interface ServerTable {
  readonly kind?: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly columnDefinitions?: readonly { readonly name: string; readonly priority?: number }[] | null;
  readonly rows?: readonly ServerRow[] | null;
}

export interface ServerRow {
  readonly cells: readonly unknown[];
  readonly object?: {
    readonly metadata?: {
      readonly name?: string;
      readonly namespace?: string;
      readonly resourceVersion?: string;
      readonly labels?: Readonly<Record<string, string>>;
    };
  } | null;
}

export const tableAccept =
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

export interface TableOptions {
  readonly wide: boolean;
  readonly namespaces: boolean;
  readonly labels: boolean;
  readonly headers: boolean;
  /** Put before the name, as `pod/`, when several kinds are shown. */
  readonly prefix: string;
}

export interface TablePrinter {
  lines(table: ServerTable): string[];
}

/** One printer prints a list and then the rows of its watch, whose tables may come without their columns. */
export function tablePrinter(options: TableOptions): TablePrinter {
  const layout: Columns = columns();
  let definitions: NonNullable<ServerTable["columnDefinitions"]> = [];
  let headed = !options.headers;

  function rowOf(row: ServerRow): string[] {
    const cells = definitions.flatMap((definition, at) =>
      isShown(definition) ? [cellText(row.cells[at])] : [],
    );
    const metadata = row.object?.metadata;
    if (options.prefix !== "") cells[0] = options.prefix + (cells[0] ?? "");
    if (options.namespaces) cells.unshift(metadata?.namespace ?? "");
    if (options.labels) cells.push(labelText(metadata?.labels));
    return cells;
  }

  const isShown = ({ priority = 0 }: { readonly priority?: number }): boolean =>
    options.wide || priority === 0;

  return {
    lines({ columnDefinitions, rows }) {
      if (columnDefinitions?.length) definitions = columnDefinitions;
      const texts = (rows ?? []).map(rowOf);
      if (headed || texts.length === 0) return layout.lines(texts);
      headed = true;
      const head = definitions.filter(isShown).map(({ name }) => name.toUpperCase());
      if (options.namespaces) head.unshift("NAMESPACE");
      if (options.labels) head.push("LABELS");
      return layout.lines([head, ...texts]);
    },
  };
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  const text = typeof cell === "object" ? JSON.stringify(cell) : String(cell);
  const end = text.search(/[\f\n\r]/);
  return end < 0 ? text : `${text.slice(0, end)}...`;
}

function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const texts = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return texts.length === 0 ? "<none>" : texts.sort().join(",");
}
