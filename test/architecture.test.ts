// Keeps docs/architecture.md true: its paths exist, its rooms are the rooms, its lines follow the imports.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./sources.js";

const page = readFileSync(join(root, "docs/architecture.md"), "utf8");

describe("docs/architecture.md", () => {
  test("draws both lines, and every stop on them exists", () => {
    for (const title of ["One YAML, from", "One request, from socket to model"]) {
      const stops = stopsOf(sectionOf(title));
      expect(stops.length).toBeGreaterThan(5);
      expect(stops.filter((stop) => !existsSync(join(root, stop)))).toEqual([]);
    }
  });

  test("lists every room there is, and no other", () => {
    const listed = stopsOf(sectionOf("Rooms"));
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) =>
        entry.name === "domain" || entry.name === "reconcilers"
          ? readdirSync(join(root, "src", entry.name)).map((name) => `src/${entry.name}/${name}`)
          : [`src/${entry.name}`],
      );
    expect([...listed].sort()).toEqual(folders.sort());
  });

  test("names each reconciler of the chain", () => {
    const kinds = readdirSync(join(root, "src/reconcilers/serving"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    const line = sectionOf("One YAML, from").toLowerCase();
    expect(kinds.filter((kind) => !line.includes(kind))).toEqual([]);
  });
});

function sectionOf(title: string): string {
  const start = page.indexOf(`## ${title}`);
  const end = page.indexOf("\n## ", start + 1);
  return page.slice(start, end < 0 ? undefined : end);
}

/** The path in the first backticks of each table row that has one. */
function stopsOf(section: string): readonly string[] {
  return section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .flatMap((line) => /`(src\/[\w./-]+)`/.exec(line)?.[1] ?? []);
}
