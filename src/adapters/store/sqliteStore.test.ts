import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { storeContract } from "../../../test/contracts/store.js";
import type { Store } from "../../ports/index.js";
import { memoryStore, sqliteStore } from "./index.js";

storeContract("in memory", async () => {
  const store = memoryStore();
  return { open: async () => store, dispose: async () => {}, durable: false };
});

storeContract("SQLite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-store-"));
  const opened: Store[] = [];
  return {
    open: async () => {
      const store = sqliteStore({ file: join(folder, "state.db") });
      opened.push(store);
      return store;
    },
    dispose: async () => {
      for (const store of opened) await store.close();
      rmSync(folder, { recursive: true });
    },
    durable: true,
  };
});

describe("a SQLite store that cannot open says why", () => {
  const folders: string[] = [];
  const stores: Store[] = [];
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  const place = () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-store-"));
    folders.push(folder);
    return join(folder, "state.db");
  };
  const open = (file: string) => {
    const store = sqliteStore({ file });
    stores.push(store);
    return store;
  };

  it("names the process that owns the file", async () => {
    const file = place();
    await open(file).load();
    // Another process, since a lock does not hold against its own.
    const script = `
      import { createRequire } from "node:module";
      const require = createRequire(${JSON.stringify(import.meta.url)});
      let db;
      try { const { DatabaseSync } = require("node:sqlite"); db = new DatabaseSync(${JSON.stringify(file)}); }
      catch { db = new (require("libsql"))(${JSON.stringify(file)}); }
      try { db.exec("BEGIN IMMEDIATE"); console.log("got in"); } catch (error) { console.log(error.message); }`;
    const said = execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(said).toContain("database is locked");
    expect(readFileSync(`${file}.pid`, "utf8")).toBe(String(process.pid));
    await expect(open(file).load()).rejects.toThrow(`pid ${process.pid}`);
  });

  it("leaves a newer file alone", async () => {
    const file = place();
    const store = open(file);
    await store.load();
    await store.close();
    patchUserVersion(file, 99);
    await expect(open(file).load()).rejects.toThrow("written by a newer Drydock (its schema is 99");
  });

  it("says a damaged file is damaged", async () => {
    const file = place();
    writeFileSync(file, "this was never a database".repeat(400));
    await expect(open(file).load()).rejects.toThrow("is damaged and cannot be read");
  });

  it("drops a torn tail and keeps what was committed", async () => {
    const file = place();
    const store = open(file);
    await store.load();
    await store.commit([{ key: "k", revision: 1, value: "1" }]);
    const wal = `${file}-wal`;
    expect(statSync(wal).size).toBeGreaterThan(0);
    // What a crash leaves: the files as they are now, and a frame that was being written.
    const crashed = place();
    writeFileSync(crashed, readFileSync(file));
    writeFileSync(`${crashed}-wal`, Buffer.concat([readFileSync(wal), Buffer.alloc(1234, 7)]));
    expect((await open(crashed).load()).entries).toEqual([{ key: "k", revision: 1, value: "1" }]);
  });
});

/** The user_version lives at byte 60 of the file's head. */
function patchUserVersion(file: string, version: number): void {
  const bytes = readFileSync(file);
  bytes.writeUInt32BE(version, 60);
  writeFileSync(file, bytes);
}
