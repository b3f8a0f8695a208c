import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { logQueueBytes } from "../limits.js";
import { type LogFile, logFile } from "./logFile.js";
import { type ReadOptions, readLog } from "./readLog.js";

let folder: string;
let path: string;
const troubles: unknown[] = [];
let nowMs = Date.UTC(2026, 0, 1);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "logs-"));
  path = join(folder, "0.log");
  troubles.length = 0;
  nowMs = Date.UTC(2026, 0, 1);
});
afterEach(async () => {
  expect(troubles).toEqual([]);
  await rm(folder, { recursive: true });
});

const open = (maxBytes?: number): LogFile =>
  logFile({
    path,
    now: () => nowMs,
    onTrouble: (error) => void troubles.push(error),
    ...(maxBytes && { maxBytes }),
  });
const say = (file: LogFile, text: string) => file.write("stdout", Buffer.from(text));

async function read(
  live: LogFile | undefined,
  options: Partial<ReadOptions> = {},
  signal = AbortSignal.timeout(5_000),
) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readLog(
    { path, live },
    { follow: false, timestamps: false, ...options },
    signal,
  )) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

describe("a log on disk", () => {
  it("has a time, a stream and a tag on each line, and times never repeat", async () => {
    const file = open();
    say(file, "one\ntw");
    file.write("stderr", Buffer.from("bad\n"));
    say(file, "o\nrest");
    await file.close();
    expect(await readFile(path, "utf8")).toBe(
      [
        "2026-01-01T00:00:00.000000000Z stdout F one",
        "2026-01-01T00:00:00.000000001Z stderr F bad",
        "2026-01-01T00:00:00.000000002Z stdout F two",
        "2026-01-01T00:00:00.000000003Z stdout P rest",
        "",
      ].join("\n"),
    );
  });

  it("is kept in three files, the newest without a number", async () => {
    const file = open(1_000);
    for (let line = 0; line < 200; line++) say(file, `line ${line}\n`);
    await file.close();
    expect((await readdir(folder)).sort()).toEqual(["0.log", "0.log.1", "0.log.2"]);
    const lines = (await read(undefined)).trim().split("\n");
    expect(lines.at(-1)).toBe("line 199");
    const first = Number(lines[0]?.split(" ")[1]);
    expect(lines).toEqual(Array.from({ length: 200 - first }, (_one, at) => `line ${first + at}`));
    expect(lines.length).toBeLessThan(70);
  });

  it("makes a container wait that writes faster than the disk", async () => {
    const file = open();
    const waited = say(file, `${"x".repeat(100)}\n`.repeat(logQueueBytes / 100));
    expect(waited).toBeInstanceOf(Promise);
    await waited;
    expect(say(file, "x\n")).toBeUndefined();
    await file.close();
  });
});

describe("reading a log", () => {
  it("gives the bytes as they were written, long lines and missing ends too", async () => {
    const file = open();
    const text = `short\n${"y".repeat(50_000)}\n\nno end`;
    for (let at = 0; at < text.length; at += 7_001) say(file, text.slice(at, at + 7_001));
    await file.close();
    expect(await read(undefined)).toBe(text);
  });

  it.each([
    [0, ""],
    [1, "line 99\n"],
    [40, Array.from({ length: 40 }, (_one, at) => `line ${60 + at}\n`).join("")],
    [500, Array.from({ length: 100 }, (_one, at) => `line ${at}\n`).join("")],
  ])("from the end: %i lines", async (tailLines, expected) => {
    const file = open(2_500);
    for (let line = 0; line < 100; line++) say(file, `line ${line}\n`);
    await file.close();
    expect(await read(undefined, { tailLines })).toBe(expected);
  });

  it("since a time, with times, up to so many bytes", async () => {
    const file = open();
    say(file, "old\n");
    nowMs += 5_000;
    say(file, "new\n");
    await file.close();
    expect(await read(undefined, { sinceMs: nowMs })).toBe("new\n");
    expect(await read(undefined, { timestamps: true, tailLines: 1 })).toBe(
      "2026-01-01T00:00:05.000000000Z new\n",
    );
    expect(await read(undefined, { limitBytes: 5 })).toBe("old\nn");
  });

  it("follows through rotations until the log is closed", async () => {
    const file = open(500);
    const reading = read(file, { follow: true });
    for (let line = 0; line < 100; line++) {
      say(file, `line ${line}\n`);
      await file.flushed();
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await file.close();
    expect(await reading).toBe(Array.from({ length: 100 }, (_one, at) => `line ${at}\n`).join(""));
  });

  it("stops when the reader leaves", async () => {
    const file = open();
    say(file, "one\n");
    const leave = new AbortController();
    const reading = read(file, { follow: true }, leave.signal);
    await file.flushed();
    setTimeout(() => leave.abort(), 20);
    expect(await reading).toBe("one\n");
    await file.close();
  });

  it("of a container that said nothing is empty", async () => {
    const file = open();
    const following = read(file, { follow: true });
    expect(await read(file)).toBe("");
    await file.close();
    expect(await following).toBe("");
  });
});
