// Fence: no hidden clock or dice, no dead export, and every path that the docs name exists.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, sourceFiles } from "./sources.js";

describe("tidy", () => {
  const files = sourceFiles();
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, "src", file), "utf8")]));

  test("time and chance come in through adapters only", () => {
    const found = files
      .filter((file) => !file.startsWith("adapters/") && !file.endsWith(".test.ts"))
      .flatMap((file) =>
        [...(texts.get(file) ?? "").matchAll(/Date\.now\b|new Date\(\)|Math\.random\b/g)].map(
          (match) => `${file}: ${match[0]}`,
        ),
      );
    expect(found).toEqual([]);
  });

  test("no enum, no default export", () => {
    const found = files.filter((file) =>
      /^\s*export default |^\s*(export )?(const )?enum /m.test(texts.get(file) ?? ""),
    );
    expect(found).toEqual([]);
  });

  test("no dead export", () => {
    const others = [...texts.entries(), ...testFiles()];
    const dead = files
      .filter(
        (file) => file !== "index.ts" && !file.endsWith("/index.ts") && !file.startsWith("domain/apis/"),
      )
      .flatMap((file) => exportsOf(texts.get(file) ?? "").map((name) => ({ file, name })))
      .filter(
        ({ file, name }) =>
          !others.some(([other, text]) => other !== file && new RegExp(`\\b${name}\\b`).test(text)),
      );
    expect(dead.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
  });

  test("every path named in the docs exists", () => {
    const pages = [
      "README.md",
      "CONTRIBUTING.md",
      ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
    ].filter((page) => page.endsWith(".md") && existsSync(join(root, page)));
    const missing = pages.flatMap((page) =>
      [
        ...readFileSync(join(root, page), "utf8").matchAll(
          /`((?:src|test|docs|examples|bench|scripts|bin|runtimes|python)\/[\w./-]*)`/g,
        ),
      ]
        .map((match) => match[1] ?? "")
        .filter((path) => !existsSync(join(root, path)))
        .map((path) => `${page}: ${path}`),
    );
    expect(missing).toEqual([]);
  });
});

function exportsOf(text: string): readonly string[] {
  return [...text.matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm)].map(
    (match) => match[1] ?? "",
  );
}

function testFiles(): readonly (readonly [string, string])[] {
  return ["test", "bench"].flatMap((folder) => walk(folder));
}

function walk(folder: string): readonly (readonly [string, string])[] {
  const whole = join(root, folder);
  if (!existsSync(whole)) return [];
  return readdirSync(whole, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return walk(path);
    return /\.(ts|mjs)$/.test(entry.name) ? [[path, readFileSync(join(root, path), "utf8")] as const] : [];
  });
}
