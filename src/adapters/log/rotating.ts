// A log file that others may read and nobody has to look after: past its size it is put aside, and the oldest goes.
import { createWriteStream, mkdirSync, openSync, renameSync, statSync, type WriteStream } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "../../ports/index.js";

/** As a container's log: three files of that size. */
const maxBytes = 10 * 1024 * 1024;
const aside = 2;

export interface RotatingFile {
  readonly writableLength: number;
  write(text: string): boolean;
  end(): Promise<void>;
}

export function rotatingFile(path: string, log: Log, limitBytes = maxBytes): RotatingFile {
  let bytes = 0;
  let isTold = false;
  let stream = open();

  /** Opened at once: until then it could not be put aside. */
  function open(): WriteStream | undefined {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      bytes = sizeOf(path);
      const opened = createWriteStream(path, { fd: openSync(path, "a", 0o600) });
      opened.on("error", complain);
      return opened;
    } catch (error) {
      complain(error as Error);
      return undefined;
    }
  }

  function complain({ message }: Error): void {
    if (!isTold) log.error("a log file cannot be written", { path, error: message });
    isTold = true;
  }

  return {
    get writableLength() {
      return stream?.writableLength ?? 0;
    },
    write(text) {
      if (stream !== undefined && bytes > 0 && bytes + text.length > limitBytes) {
        stream?.end();
        for (let at = aside; at > 0; at -= 1) move(at === 1 ? path : `${path}.${at - 1}`, `${path}.${at}`);
        stream = open();
      }
      bytes += text.length;
      return stream === undefined || stream.destroyed || stream.writableEnded ? false : stream.write(text);
    },
    end: () =>
      new Promise((resolve) => {
        if (stream === undefined || stream.destroyed) resolve();
        else stream.end(() => resolve());
      }),
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function move(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, to);
}
