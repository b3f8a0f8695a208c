// Fence: each room imports only what its row allows, and every other room by its one door.
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { root, sourceFiles } from "./sources.js";

/** Room by room, longest path first: where a file lives, and which rooms it may look into. */
const rooms: { readonly [room: string]: readonly string[] } = {
  "domain/apis": [],
  "domain/autoscaling": ["domain/apis"],
  "domain/access": ["domain/apis"],
  "domain/traffic": ["domain/apis"],
  "domain/balancing": ["domain/apis"],
  "domain/runtimes": ["domain/apis"],
  "domain/diagnosis": ["domain/apis"],
  ports: ["domain/apis"],
  controller: ["domain/*", "ports"],
  "reconcilers/serving": ["domain/*", "ports", "controller"],
  "reconcilers/workload": ["domain/*", "ports", "controller"],
  autoscaler: ["domain/*", "ports"],
  apiserver: ["domain/*", "ports"],
  kubelet: ["domain/*", "ports", "controller"],
  dataplane: ["domain/*", "ports"],
  doctor: ["domain/*", "ports"],
  modelserver: ["domain/apis"],
  faults: ["domain/*", "ports"],
  adapters: ["domain/*", "ports"],
  cli: ["domain/*", "ports", "doctor"],
  cmd: ["*"],
  "index.ts": ["*"],
};

/** The API room is a library of kinds: its files are named one by one, as the field names them. */
const openDoors = new Set(["domain/apis", "ports"]);

describe("rooms", () => {
  const files = sourceFiles().filter((file) => !file.endsWith(".test.ts"));

  test("every file lives in a room", () => {
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
  });

  test("no stray edge between rooms", () => {
    const stray = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !allowed(roomOf(file) ?? "", target))
        .map((target) => `${file} -> ${target}`),
    );
    expect(stray).toEqual([]);
  });

  test("nobody climbs into another room by a deep path", () => {
    const deep = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => {
          const room = roomOf(target) ?? "";
          return room !== roomOf(file) && !openDoors.has(room) && !isDoor(target, room, file);
        })
        .map((target) => `${file} -> ${target}`),
    );
    expect(deep).toEqual([]);
  });

  test("domain knows neither Node nor the DOM", () => {
    const foreign = files
      .filter((file) => file.startsWith("domain/"))
      .flatMap((file) =>
        bareImportsOf(file)
          .filter((name) => name.startsWith("node:"))
          .map((name) => `${file} -> ${name}`),
      );
    expect(foreign).toEqual([]);
  });
});

function roomOf(file: string): string | undefined {
  return Object.keys(rooms)
    .sort((a, b) => b.length - a.length)
    .find((room) => file === room || file.startsWith(`${room}/`));
}

function allowed(room: string, target: string): boolean {
  const to = roomOf(target) ?? "";
  if (to === room) return true;
  return (rooms[room] ?? []).some(
    (name) => name === "*" || name === to || (name.endsWith("/*") && to.startsWith(name.slice(0, -1))),
  );
}

/** adapters/X/index.ts is a door of its own: each adapter is handed out alone. cmd is joined by the library's own door alone. */
function isDoor(target: string, room: string, from: string): boolean {
  if (room === "cmd") return from === "index.ts";
  if (room === "adapters") return /^adapters\/[^/]+\/index\.ts$/.test(target);
  return target === `${room}/index.ts` || target === room;
}

function importsOf(file: string): readonly string[] {
  return specifiersOf(file)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) =>
      relative(join(root, "src"), resolve(root, "src", dirname(file), specifier)).replace(/\.js$/, ".ts"),
    );
}

function bareImportsOf(file: string): readonly string[] {
  return specifiersOf(file).filter((specifier) => !specifier.startsWith("."));
}

function specifiersOf(file: string): readonly string[] {
  const text = readFileSync(join(root, "src", file), "utf8");
  return [...text.matchAll(/^\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)/gm)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
}
