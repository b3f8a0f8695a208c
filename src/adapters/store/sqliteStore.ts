// The durable store: one SQLite file, one connection, a flush for every batch before anyone is told.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { PortError, type Store, type StoreContent } from "../../ports/index.js";
import { commitThread, type Order, type Report, type ThreadStart } from "./commitThread.js";

/** Raised with every change of the file's shape; a file from a later Drydock is left alone. */
const schemaVersion = 1;

type Asked = Order extends infer O ? (O extends { readonly id: number } ? Omit<O, "id"> : never) : never;

export function sqliteStore({ file }: { readonly file: string }): Store {
  const owner = `${file}.pid`;
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  let lastId = 0;
  let thread: Worker | undefined;
  let dead: PortError | undefined;
  let closing = false;

  function start(): Worker {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const workerData: ThreadStart = { file, base: import.meta.url, schemaVersion };
    const worker = new Worker(`(${commitThread.toString()})(require)`, { eval: true, workerData });
    worker.on("message", (report: Report) => {
      const asked = waiting.get(report.id);
      waiting.delete(report.id);
      if (waiting.size === 0 && !closing) worker.unref();
      if (report.ok) asked?.resolve(report.value);
      else asked?.reject(explain(report, file, owner));
    });
    const die = (why: string, cause?: unknown) => {
      dead ??= new PortError("InternalError", `the store's thread ended: ${why}`, { cause });
      for (const { reject } of waiting.values()) reject(dead);
      waiting.clear();
    };
    worker.on("error", (error) => die(error instanceof Error ? error.message : String(error), error));
    worker.on("exit", () => die("it was closed"));
    return worker;
  }

  function ask(order: Asked): Promise<unknown> {
    if (dead !== undefined) return Promise.reject(dead);
    thread ??= start();
    const worker = thread;
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      // Only while an answer is owed does the thread keep the process alive.
      worker.ref();
      waiting.set(id, { resolve, reject });
      worker.postMessage({ ...order, id });
    });
  }

  return {
    async load() {
      const content = (await ask({ do: "load" })) as StoreContent;
      writeFileSync(owner, String(process.pid), { mode: 0o600 });
      return content;
    },
    async commit(batch) {
      await ask({ do: "commit", batch });
    },
    async compact(revision) {
      while (!closing && (await ask({ do: "compact", revision })) === true);
    },
    async close() {
      if (thread === undefined || dead !== undefined) return;
      closing = true;
      const gone = new Promise((resolve) => thread?.once("exit", resolve));
      await ask({ do: "close" });
      await gone;
      rmSync(owner, { force: true });
    },
  };
}

function explain({ code, message }: Report & { readonly ok: false }, file: string, owner: string): PortError {
  const text = `${code} ${message}`;
  if (code === "DRYDOCK_NEWER") {
    return new PortError(
      "InternalError",
      `${file} was written by a newer Drydock (its schema is ${message}, this one knows ${schemaVersion}). Upgrade Drydock, or use another home.`,
    );
  }
  if (/SQLITE_BUSY|SQLITE_LOCKED|database is locked/.test(text)) {
    const pid = ownerOf(owner);
    const who = pid === undefined ? "another process" : `the process with pid ${pid}`;
    return new PortError(
      "Conflict",
      `${file} is in use by ${who}. Only one Drydock can own a home: stop it, or use another home.`,
    );
  }
  if (/SQLITE_CORRUPT|SQLITE_NOTADB|malformed|not a database/.test(text)) {
    return new PortError(
      "InternalError",
      `${file} is damaged and cannot be read (${message}). Move it aside to start empty, or put a copy in its place.`,
    );
  }
  if (/SQLITE_FULL|disk is full|ENOSPC/.test(text)) {
    return new PortError("InternalError", `the disk that holds ${file} is full: nothing was written`);
  }
  return new PortError("InternalError", `the store ${file} failed: ${message || code}`);
}

function ownerOf(path: string): string | undefined {
  try {
    const pid = readFileSync(path, "utf8").trim();
    return /^\d+$/.test(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}
