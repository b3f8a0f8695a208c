// Text in aligned columns, as kubectl sets them: three spaces between, nothing cut.
import { widthOf } from "./style.js";

const gap = 3;
/** A column is never narrower, so that short tables do not look crowded. */
const narrowest = 6;

export interface Columns {
  /** Lines for these rows. Widths are remembered, so that rows which come later stay below their heads. */
  lines(rows: readonly (readonly string[])[]): string[];
}

export function columns(): Columns {
  const widths: number[] = [];
  return {
    lines(rows) {
      for (const row of rows) {
        row.forEach((cell, at) => {
          widths[at] = Math.max(widths[at] ?? 0, widthOf(cell) + gap, narrowest);
        });
      }
      return rows.map((row) =>
        row
          .map((cell, at) =>
            at === row.length - 1 ? cell : cell + " ".repeat((widths[at] ?? 0) - widthOf(cell)),
          )
          .join("")
          .trimEnd(),
      );
    },
  };
}

/** Names on the left, values on the right, two spaces between at least. */
export function pairs(rows: readonly (readonly [name: string, value: string])[], indent = ""): string[] {
  const width = Math.max(0, ...rows.map(([name]) => widthOf(name))) + 2;
  return rows.map(([name, value]) =>
    `${indent}${name}${" ".repeat(width - widthOf(name))}${value}`.trimEnd(),
  );
}
