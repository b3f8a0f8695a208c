// The thread that owns the database, so that waiting for the disk never holds up the server's loop.

/** What the thread is told when it starts. */
export interface ThreadStart {
  readonly file: string;
  /** Where modules are looked for: the thread has no place of its own. */
  readonly base: string;
  readonly schemaVersion: number;
}

export type Order =
  | { readonly id: number; readonly do: "load" }
  | { readonly id: number; readonly do: "commit"; readonly batch: readonly ThreadWrite[] }
  | { readonly id: number; readonly do: "compact"; readonly revision: number }
  | { readonly id: number; readonly do: "close" };

export interface ThreadWrite {
  readonly key: string;
  readonly revision: number;
  readonly value: string | undefined;
}

export type Report =
  | { readonly id: number; readonly ok: true; readonly value?: unknown }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string };

/**
 * Runs in the thread, from its own text: it must stay closed over nothing. That way it starts the same from
 * TypeScript sources under test as from the built package, with no second file to find.
 *
 * One table, appended to: `log(rev, key, value)`, the latest row of a key being the object and a null a deletion.
 * Which rows are superseded is remembered here, so forgetting them needs no search.
 */
export function commitThread(require: NodeJS.Require): void {
  const { parentPort, workerData } = require("node:worker_threads") as typeof import("node:worker_threads");
  const { createRequire } = require("node:module") as typeof import("node:module");
  const { file, base, schemaVersion } = workerData as ThreadStart;
  const port = parentPort as import("node:worker_threads").MessagePort;

  interface Statement {
    run(...values: readonly unknown[]): unknown;
    all(...values: readonly unknown[]): unknown[];
    iterate(...values: readonly unknown[]): Iterable<unknown>;
    get(...values: readonly unknown[]): unknown;
  }
  interface Row {
    readonly rev: number;
    readonly key: string;
    readonly value: string | null;
  }
  interface Database {
    exec(sql: string): unknown;
    prepare(sql: string): Statement;
    close(): unknown;
  }

  let db: Database | undefined;
  /** Many rows in one call into SQLite cost a third less each than one by one. */
  const rowsAtOnce = [32, 8, 1] as const;
  /** A few milliseconds of work. */
  const rowsForgottenAtOnce = 256;
  let inserts: readonly { readonly rows: number; readonly statement: Statement }[] = [];
  let forget: Statement | undefined;
  const latest = new Map<string, number>();
  let superseded: number[] = [];
  const tombstones = new Map<number, string>();
  let highest = 0;

  function open(): Database {
    const load = createRequire(base);
    const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
    if (major > 22 || (major === 22 && minor >= 13)) {
      const quiet = process.emitWarning;
      // Node says "experimental" once per process on some lines; the user can do nothing about it.
      process.emitWarning = () => {};
      try {
        const { DatabaseSync } = load("node:sqlite");
        return new DatabaseSync(file) as Database;
      } catch (error) {
        if ((error as { code?: string }).code !== "ERR_UNKNOWN_BUILTIN_MODULE") throw error;
      } finally {
        process.emitWarning = quiet;
      }
    }
    // It asks Node for a report to learn which libc this is; naming the network's peers there takes up to a second.
    const report = process.report as { excludeNetwork?: boolean } | undefined;
    const before = report?.excludeNetwork;
    if (report !== undefined) report.excludeNetwork = true;
    try {
      const Libsql = load("libsql");
      return new Libsql(file) as Database;
    } finally {
      if (report !== undefined && before !== undefined) report.excludeNetwork = before;
    }
  }

  function prepare(): void {
    db = open();
    // One process, one connection: the lock is taken once and kept, and no shared memory file is needed.
    db.exec("PRAGMA locking_mode=EXCLUSIVE");
    db.exec("PRAGMA journal_mode=WAL");
    db.exec("PRAGMA synchronous=FULL");
    db.exec("BEGIN IMMEDIATE");
    const { user_version: found } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (found > schemaVersion) {
      db.exec("ROLLBACK");
      throw Object.assign(new Error(String(found)), { code: "DRYDOCK_NEWER" });
    }
    db.exec("CREATE TABLE IF NOT EXISTS log (rev INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT)");
    if (found < schemaVersion) db.exec(`PRAGMA user_version=${schemaVersion}`);
    db.exec("COMMIT");
    inserts = rowsAtOnce.map((rows) => {
      const places = Array.from({ length: rows }, () => "(?, ?, ?)").join(", ");
      const statement = (db as Database).prepare(`INSERT INTO log (rev, key, value) VALUES ${places}`);
      return { rows, statement };
    });
    forget = db.prepare("DELETE FROM log WHERE rev BETWEEN ? AND ?");
  }

  function note(key: string, revision: number, deleted: boolean): void {
    const before = latest.get(key);
    if (before !== undefined) superseded.push(before);
    if (deleted) {
      latest.delete(key);
      tombstones.set(revision, key);
    } else latest.set(key, revision);
    if (revision > highest) highest = revision;
  }

  function load(): unknown {
    prepare();
    const database = db as Database;
    const damage = (database.prepare("PRAGMA quick_check(1)").all() as { quick_check: string }[])[0]
      ?.quick_check;
    if (damage !== undefined && damage !== "ok") {
      throw Object.assign(new Error(damage), { code: "SQLITE_CORRUPT" });
    }
    const entries = new Map<string, { key: string; revision: number; value: string }>();
    const rows = database.prepare("SELECT rev, key, value FROM log ORDER BY rev").iterate();
    for (const { rev, key, value } of rows as Iterable<Row>) {
      note(key, rev, value === null);
      if (value === null) entries.delete(key);
      else entries.set(key, { key, revision: rev, value });
    }
    return { revision: highest, entries: [...entries.values()] };
  }

  function valuesOf({ revision, key, value }: ThreadWrite): readonly unknown[] {
    return [revision, key, value ?? null];
  }

  function transaction(work: () => void): void {
    const database = db as Database;
    database.exec("BEGIN IMMEDIATE");
    try {
      work();
      database.exec("COMMIT");
    } catch (error) {
      try {
        database.exec("ROLLBACK");
      } catch {
        // SQLite rolls back by itself on some errors, such as a full disk.
      }
      throw error;
    }
  }

  function commit(batch: readonly ThreadWrite[]): void {
    const insert = () => {
      let next = 0;
      for (const { rows, statement } of inserts) {
        for (; next + rows <= batch.length; next += rows) {
          statement.run(...batch.slice(next, next + rows).flatMap(valuesOf));
        }
      }
    };
    // A statement alone is a transaction of its own.
    if (batch.length === 1) insert();
    else transaction(insert);
    for (const { key, revision, value } of batch) note(key, revision, value === undefined);
  }

  /** A piece at a time, so that commits waiting behind are not held up for long; says whether there is more. */
  function compact(revision: number): boolean {
    // The highest row says where to count on from, so it stays whatever it says.
    const old = [...superseded, ...tombstones.keys()].filter((rev) => rev < revision && rev !== highest);
    // Oldest first: after a crash between two pieces, no row may have outlived its own deletion.
    const piece = old.sort((one, other) => one - other).slice(0, rowsForgottenAtOnce);
    transaction(() => {
      // Rows that follow one another go in one search.
      for (let first = 0, next = 1; next <= piece.length; next++) {
        if (piece[next] === (piece[next - 1] as number) + 1) continue;
        (forget as Statement).run(piece[first], piece[next - 1]);
        first = next;
      }
    });
    const gone = new Set(piece);
    superseded = superseded.filter((rev) => !gone.has(rev));
    for (const rev of piece) tombstones.delete(rev);
    return old.length > piece.length;
  }

  port.on("message", (order: Order) => {
    try {
      let value: unknown;
      switch (order.do) {
        case "load":
          value = load();
          break;
        case "commit":
          commit(order.batch);
          break;
        case "compact":
          value = compact(order.revision);
          break;
        case "close":
          db?.close();
          break;
      }
      port.postMessage({ id: order.id, ok: true, value } satisfies Report);
    } catch (error) {
      const { code, message, errstr } = error as { code?: string; message?: string; errstr?: string };
      port.postMessage({
        id: order.id,
        ok: false,
        code: code ?? "",
        message: [message, errstr].filter((text) => text).join(": "),
      } satisfies Report);
    }
    if (order.do === "close") port.close();
  });
}
