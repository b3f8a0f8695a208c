// Reading a container's log as `kubectl logs` asks for it: from the end, since a time, following.
import { type FileHandle, open } from "node:fs/promises";
import type { LogOptions } from "../../ports/index.js";
import { logReadBytes } from "../limits.js";
import { deferred } from "../times.js";
import { type LogFile, logFileNames } from "./logFile.js";
import { nanoTime, parseLine } from "./logLine.js";

export type ReadOptions = Pick<LogOptions, "follow" | "timestamps" | "tailLines" | "limitBytes" | "sinceMs">;

export interface LogInstance {
  readonly path: string;
  /** While the container is running. */
  readonly live: LogFile | undefined;
}

export async function* readLog(
  { path, live }: LogInstance,
  options: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  await live?.flushed();
  const { handles, generation } = await openAll(path, live);
  const render = renderer(options);
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  try {
    const start =
      options.tailLines === undefined ? { file: 0, at: 0 } : await tailStart(handles, options.tailLines);
    const bytes = readFrom(handles, start, options.follow ? live : undefined, generation, path, signal);
    for await (const chunk of bytes) {
      const text = render(chunk);
      if (text.length === 0) continue;
      yield text.subarray(0, Math.min(text.length, left));
      left -= text.length;
      if (left <= 0) return;
    }
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
}

async function openAll(path: string, live: LogFile | undefined) {
  for (;;) {
    const generation = live?.generation() ?? 0;
    const opened = await Promise.all(
      logFileNames(path).map((name) => open(name, "r").catch(() => undefined)),
    );
    const handles = opened.filter((handle) => handle !== undefined);
    if ((live?.generation() ?? 0) === generation) return { handles, generation };
    await Promise.all(handles.map((handle) => handle.close())); // rotated between two opens
  }
}

/** The bytes of all files from a place on, then what is added, until the log is closed. Opened files join `handles`. */
async function* readFrom(
  handles: FileHandle[],
  start: { readonly file: number; readonly at: number },
  live: LogFile | undefined,
  generation: number,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let { file, at } = start;
  let seen = generation;
  const buffer = Buffer.alloc(logReadBytes);
  while (!signal.aborted) {
    // Asked before reading: what is written or closed while we read wakes us again.
    const wasClosed = live?.isClosed() ?? true;
    const newest = live?.generation() ?? seen;
    const changed = live && !wasClosed ? nextChange(live, signal) : undefined;
    try {
      const handle = handles[file];
      const read = handle === undefined ? 0 : (await handle.read(buffer, 0, buffer.length, at)).bytesRead;
      if (read > 0) {
        at += read;
        yield Buffer.from(buffer.subarray(0, read));
      } else if (file < handles.length - 1 || (handle !== undefined && newest !== seen)) {
        if (file === handles.length - 1) {
          seen = newest;
          handles.push(await open(path, "r"));
        }
        file += 1;
        at = 0;
      } else if (changed !== undefined) {
        await changed.happened;
        if (handles.length === 0) handles.push(...(await openIfThere(path)));
      } else {
        return;
      }
    } finally {
      changed?.cancel();
    }
  }
}

async function openIfThere(path: string): Promise<readonly FileHandle[]> {
  return open(path, "r").then(
    (handle) => [handle],
    () => [],
  );
}

function nextChange(live: LogFile, signal: AbortSignal) {
  const { promise: happened, resolve } = deferred();
  const forget = live.onChange(resolve);
  signal.addEventListener("abort", resolve);
  return {
    happened,
    cancel() {
      forget();
      signal.removeEventListener("abort", resolve);
    },
  };
}

/** Where the last so many lines begin. */
async function tailStart(handles: readonly FileHandle[], lines: number) {
  const end = { file: Math.max(handles.length - 1, 0), at: 0 };
  // One newline more than lines: the one that ends the line before them.
  let missing = lines + 1;
  for (let file = handles.length - 1; file >= 0; file--) {
    let at = (await handles[file]!.stat()).size;
    if (lines === 0) return { file, at };
    while (at > 0) {
      const from = Math.max(at - logReadBytes, 0);
      const block = Buffer.alloc(at - from);
      await handles[file]!.read(block, 0, block.length, from);
      for (let byte = block.length - 1; byte >= 0; byte--) {
        if (block[byte] !== 10) continue;
        missing -= 1;
        if (missing === 0) return { file, at: from + byte + 1 };
      }
      at = from;
    }
    end.file = file;
  }
  return end;
}

/** Stored lines to what users see. Bytes may be cut anywhere; the unfinished rest waits for more. */
function renderer({ timestamps, sinceMs }: ReadOptions): (chunk: Buffer) => Buffer {
  const since = sinceMs === undefined ? "" : nanoTime(sinceMs);
  let rest: Buffer = Buffer.alloc(0);
  let isMidLine = false;
  return (chunk) => {
    const out: Buffer[] = [];
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10)) {
      const line = parseLine(bytes.subarray(0, end));
      bytes = bytes.subarray(end + 1);
      if (line === undefined || line.time < since) continue;
      if (timestamps && !isMidLine) out.push(Buffer.from(`${line.time} `));
      out.push(line.text);
      if (line.isWhole) out.push(newline);
      isMidLine = !line.isWhole;
    }
    rest = bytes;
    return Buffer.concat(out);
  };
}

const newline = Buffer.from("\n");
