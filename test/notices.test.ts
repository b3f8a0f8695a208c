// What is joined into dist is published with it, so its licences' words must be too.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "./sources.js";

const { noticesOf } = (await import(join(root, "scripts/notices.mjs"))) as {
  noticesOf: (modules: readonly string[]) => string;
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-notices-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function madePackage(name: string, about: object, files: { readonly [name: string]: string } = {}): string {
  const place = join(folder, "node_modules", name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "package.json"), JSON.stringify({ name, version: "1.0.0", ...about }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(place, file), text);
  return join(place, "lib/index.js");
}

it("says of each package once who made it and under which words", () => {
  const texts = { "LICENSE.md": "Permission is granted\n", "readme.md": "hello", NOTICE: "Made with care" };
  const modules = [
    join(folder, "src/ours.js"),
    madePackage("@b/scoped", { license: "MIT", author: { name: "Bea" } }, texts),
    madePackage("a", { license: "ISC", author: "Al <al@a.example>" }),
  ];
  const rule = "=".repeat(80);
  expect(noticesOf([...modules, ...modules]).split(`${rule}\n`)).toEqual([
    "Drydock's built files contain code of the packages below, each under its own licence.\n\n",
    "@b/scoped 1.0.0\n",
    "\nLicence: MIT\nAuthor: Bea\n\nPermission is granted\n\nMade with care\n\n",
    "a 1.0.0\n",
    "\nLicence: ISC\nAuthor: Al <al@a.example>\n",
  ]);
});

it("builds nothing of a package that states no licence", () => {
  expect(() => noticesOf([madePackage("nobodys", {})])).toThrow("nobodys 1.0.0 states no licence");
});
