/**
 * Output of a container without a terminal: both streams in one, cut into frames of a stream number, three empty
 * bytes, a length in four bytes, and the bytes.
 */
import { PortError } from "../../ports/index.js";
import { frameMaxBytes } from "./limits.js";

export type StreamName = "stdout" | "stderr";

export interface Frame {
  readonly stream: StreamName;
  readonly bytes: Uint8Array;
}

const headBytes = 8;

/** Takes chunks as they come and gives what is in them: frames are passed on in part, for a long one may be slow. */
export function demuxer(): (chunk: Uint8Array) => readonly Frame[] {
  let head = Buffer.alloc(0);
  let stream: StreamName = "stdout";
  let left = 0;
  return (chunk) => {
    const frames: Frame[] = [];
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0) {
      if (left === 0) {
        const missing = headBytes - head.length;
        head = Buffer.concat([head, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (head.length < headBytes) break;
        stream = head[0] === 2 ? "stderr" : "stdout";
        left = head.readUInt32BE(4);
        if (left > frameMaxBytes)
          throw new PortError("Unknown", "the engine's output is not cut into frames");
        head = Buffer.alloc(0);
        continue;
      }
      const bytes = rest.subarray(0, left);
      frames.push({ stream, bytes });
      left -= bytes.length;
      rest = rest.subarray(bytes.length);
    }
    return frames;
  };
}
