/**
 * Lines as container engines keep them: `TIME STREAM TAG TEXT`, with nine decimals so that text compares like time.
 * Tag F ends a line; P is a part of one that goes on, or never ended.
 */
import { logLineBytes } from "../limits.js";

export type StreamName = "stdout" | "stderr";

const newline = 10;
const space = 32;

/** Cuts a container's output into stamped lines. An unfinished line waits for its end. */
export function lineStamper(now: () => number) {
  const unfinished: { [stream in StreamName]: Buffer } = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  let lastMs = 0;
  let within = 0;

  function stamp(): string {
    const ms = Math.max(now(), lastMs);
    within = ms === lastMs ? within + 1 : 0;
    lastMs = ms;
    return nanoTime(ms, within);
  }

  function line(stream: StreamName, tag: "F" | "P", text: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${stamp()} ${stream} ${tag} `), text, Buffer.of(newline)]);
  }

  return {
    take(stream: StreamName, chunk: Uint8Array): readonly Buffer[] {
      const lines: Buffer[] = [];
      let rest = Buffer.concat([unfinished[stream], chunk]);
      for (;;) {
        const end = rest.indexOf(newline);
        const isLong = end > logLineBytes || (end === -1 && rest.length > logLineBytes);
        if (end === -1 && !isLong) break;
        const cut = isLong ? logLineBytes : end;
        lines.push(line(stream, isLong ? "P" : "F", rest.subarray(0, cut)));
        rest = rest.subarray(isLong ? cut : cut + 1);
      }
      unfinished[stream] = rest;
      return lines;
    },
    /** What was left without an end of line. */
    end(): readonly Buffer[] {
      return (["stdout", "stderr"] as const)
        .filter((stream) => unfinished[stream].length > 0)
        .map((stream) => line(stream, "P", unfinished[stream]));
    },
  };
}

export function nanoTime(ms: number, nanos = 0): string {
  return `${new Date(ms).toISOString().slice(0, -1)}${String(Math.min(nanos, 999_999)).padStart(6, "0")}Z`;
}

export interface LogLine {
  readonly time: string;
  readonly text: Buffer;
  readonly isWhole: boolean;
}

/** A stored line without its newline; undefined when it is none of ours, as after a crash in mid-write. */
export function parseLine(stored: Buffer): LogLine | undefined {
  const first = stored.indexOf(space);
  const second = stored.indexOf(space, first + 1);
  const third = stored.indexOf(space, second + 1);
  if (first === -1 || second === -1 || third === -1) return undefined;
  return {
    time: stored.toString("latin1", 0, first),
    text: stored.subarray(third + 1),
    isWhole: stored[second + 1] === 70, // F
  };
}
