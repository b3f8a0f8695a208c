// The framing of the Python worker's channel: two lengths, a JSON header, a payload.

import { maxFrameBytes } from "../limits.js";

const lengthsBytes = 8;

export interface Frame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Buffer;
}

export function encodeFrame(header: Readonly<Record<string, unknown>>, payload: Uint8Array): Buffer {
  const head = Buffer.from(JSON.stringify(header));
  const frame = Buffer.allocUnsafe(lengthsBytes + head.length + payload.length);
  frame.writeUInt32LE(head.length, 0);
  frame.writeUInt32LE(payload.length, 4);
  head.copy(frame, lengthsBytes);
  frame.set(payload, lengthsBytes + head.length);
  return frame;
}

/** Cuts a stream of bytes into frames; throws when what comes cannot be one. */
export function frameReader(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = lengthsBytes;

  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    // Joined only when a frame can be complete, or a large answer would be copied once per chunk.
    while (held >= needed) {
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      const headEnd = lengthsBytes + bytes.readUInt32LE(0);
      const end = headEnd + bytes.readUInt32LE(4);
      if (end > maxFrameBytes) throw new Error(`a message of ${end} bytes is larger than ${maxFrameBytes}`);
      needed = end;
      chunks = [bytes];
      if (held < end) return;
      const header = JSON.parse(bytes.toString("utf8", lengthsBytes, headEnd)) as Frame["header"];
      onFrame({ header, payload: bytes.subarray(headEnd, end) });
      chunks = held > end ? [bytes.subarray(end)] : [];
      held -= end;
      needed = lengthsBytes;
    }
  };
}
