// One container instance's log, being written: in order, rotated, with the container waiting when the disk is slow.
import { type FileHandle, mkdir, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { logFileBytes, logFiles, logQueueBytes } from "../limits.js";
import { lineStamper, type StreamName } from "./logLine.js";

export interface LogFile {
  readonly path: string;
  /** A promise when the container should wait before it writes more. */
  write(stream: StreamName, chunk: Uint8Array): void | Promise<void>;
  /** Resolves when all that was written so far can be read. */
  flushed(): Promise<void>;
  close(): Promise<void>;
  isClosed(): boolean;
  /** Changes with each rotation. */
  generation(): number;
  /** Tells of new lines, of rotation and of the end; gives back its undoing. */
  onChange(hear: () => void): () => void;
}

export interface LogFileOptions {
  readonly path: string;
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
  readonly maxBytes?: number;
}

export function logFile({ path, now, onTrouble, maxBytes = logFileBytes }: LogFileOptions): LogFile {
  const stamper = lineStamper(now);
  const listeners = new Set<() => void>();
  let queue: Buffer[] = [];
  let queuedBytes = 0;
  let writing: Promise<void> | undefined;
  let handle: FileHandle | undefined;
  let size = 0;
  let generation = 0;
  let closing: Promise<void> | undefined;
  let isClosed = false;
  let isTroubled = false;

  function enqueue(lines: readonly Buffer[]): void {
    if (lines.length === 0) return;
    queue.push(...lines);
    for (const line of lines) queuedBytes += line.length;
    writing ??= drain();
  }

  async function drain(): Promise<void> {
    await Promise.resolve(); // so that `writing` is set before it can be cleared
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      queuedBytes = 0;
      try {
        await append(batch);
      } catch (error) {
        // A full disk must not end the container; its lines are lost, and that is told once.
        if (!isTroubled) onTrouble(error);
        isTroubled = true;
      }
      tell();
    }
    writing = undefined;
  }

  async function append(lines: readonly Buffer[]): Promise<void> {
    if (handle === undefined) await openFile();
    let part: Buffer[] = [];
    let partBytes = 0;
    for (const line of lines) {
      if (size + partBytes > 0 && size + partBytes + line.length > maxBytes) {
        await writeOut(part);
        await rotate();
        part = [];
        partBytes = 0;
      }
      part.push(line);
      partBytes += line.length;
    }
    await writeOut(part);
  }

  async function writeOut(lines: readonly Buffer[]): Promise<void> {
    if (lines.length === 0) return;
    const bytes = lines.length === 1 ? lines[0]! : Buffer.concat(lines);
    await handle!.appendFile(bytes);
    size += bytes.length;
  }

  async function openFile(): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    handle = await open(path, "a", 0o600);
    size = (await stat(path)).size;
  }

  async function rotate(): Promise<void> {
    await handle?.close();
    handle = undefined;
    const names = logFileNames(path);
    for (let at = 0; at < names.length - 1; at++) {
      await rename(names[at + 1]!, names[at]!).catch(() => {}); // the older file may not exist yet
    }
    generation += 1;
    await openFile();
  }

  function tell(): void {
    for (const hear of [...listeners]) hear();
  }

  return {
    path,
    write(stream, chunk) {
      enqueue(stamper.take(stream, chunk));
      return queuedBytes > logQueueBytes ? writing : undefined;
    },
    flushed: async () => {
      while (writing !== undefined) await writing;
    },
    close() {
      closing ??= (async () => {
        enqueue(stamper.end());
        while (writing !== undefined) await writing;
        await handle?.close();
        isClosed = true;
        tell();
        listeners.clear();
      })();
      return closing;
    },
    isClosed: () => isClosed,
    generation: () => generation,
    onChange(hear) {
      listeners.add(hear);
      return () => void listeners.delete(hear);
    },
  };
}

/** Oldest first; the last is the one being written. */
export function logFileNames(path: string): readonly string[] {
  const older = Array.from({ length: logFiles - 1 }, (_one, at) => `${path}.${logFiles - 1 - at}`);
  return [...older, path];
}
