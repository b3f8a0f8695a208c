import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lineWriter } from "./lines.js";
import { rotatingFile } from "./rotating.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const told: string[] = [];
const log = { info: () => {}, error: (message: string) => void told.push(message) };

it("keeps three files of its size, the newest lines in the first", async () => {
  const path = join(folder, "log/requests.log");
  const file = rotatingFile(path, log, 20);
  for (let at = 0; at < 9; at += 1) file.write(`line ${at}.....\n`);
  await file.end();
  const names = ["requests.log", "requests.log.1", "requests.log.2"];
  expect(readdirSync(join(folder, "log"))).toEqual(names);
  const heads = names.map((name) => readFileSync(join(folder, "log", name), "utf8").slice(0, 6));
  expect(heads).toEqual(["line 8", "line 7", "line 6"]);
});

it("goes on where an earlier process stopped", async () => {
  const path = join(folder, "requests.log");
  for (const text of ["one\n", "two\n"]) {
    const file = rotatingFile(path, log);
    file.write(text);
    await file.end();
  }
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
});

it("says once that it cannot be written, and stops nobody", async () => {
  told.length = 0;
  const file = rotatingFile(folder, log);
  file.write("x\n");
  await wait(20);
  file.write("y\n");
  await file.end();
  expect(told).toEqual(["a log file cannot be written"]);
});

it("leaves lines out, and counts them, when nobody takes what was written", async () => {
  const written: string[] = [];
  const lost: number[] = [];
  const stream = { writableLength: 0, write: (text: string) => written.push(text) > 0 };
  const write = lineWriter(
    () => stream,
    (lines) => lost.push(lines),
  );
  write("a");
  write("b");
  await new Promise(setImmediate);
  stream.writableLength = 5 * 1024 * 1024;
  write("c");
  await new Promise(setImmediate);
  expect([written, lost]).toEqual([["a\nb\n"], [1]]);
});
