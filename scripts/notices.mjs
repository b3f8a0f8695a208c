// What the licences of the packages joined into dist ask for: their names, authors and words, beside the code.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const licence = /^(licen[cs]e|copying|notice)(\.|-|$)/i;
const rule = "=".repeat(80);

/** `modules` are files, as a bundler names them. */
export function noticesOf(modules) {
  const folders = new Set(modules.map(packageFolder).filter((folder) => folder !== undefined));
  const notices = [...folders].map(noticeOf).sort((one, other) => (one.name < other.name ? -1 : 1));
  const whole = [
    "Drydock's built files contain code of the packages below, each under its own licence.",
    ...notices.map(({ name, text }) => `${rule}\n${name}\n${rule}\n\n${text}`),
  ];
  return `${whole.join("\n\n")}\n`;
}

function packageFolder(module) {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)?.[0];
}

function noticeOf(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const who = typeof author === "string" ? author : author?.name;
  const files = readdirSync(folder).filter((file) => licence.test(file));
  if (license === undefined && files.length === 0)
    throw new Error(`${name} ${version} states no licence: it cannot be in what we publish`);
  const texts = files.sort().map((file) => readFileSync(join(folder, file), "utf8").trim());
  const terms = [`Licence: ${license ?? "see below"}`, ...(who === undefined ? [] : [`Author: ${who}`])];
  return { name: `${name} ${version}`, text: [terms.join("\n"), ...texts].join("\n\n") };
}
