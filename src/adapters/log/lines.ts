// Many lines to one stream: those of one turn go out together, and a reader that has stopped does not fill our memory.
import type { Writable } from "node:stream";

/** What may wait for a slow disk or reader; past it lines are counted and left out. */
const pendingBytes = 4 * 1024 * 1024;

export function lineWriter(
  to: () => Pick<Writable, "write" | "writableLength">,
  onLost: (lines: number) => void,
): (line: string) => void {
  let batch: string[] = [];
  const flush = () => {
    const lines = batch;
    batch = [];
    const stream = to();
    if (stream.writableLength > pendingBytes) onLost(lines.length);
    else stream.write(`${lines.join("\n")}\n`);
  };
  return (line) => {
    if (batch.length === 0) setImmediate(flush);
    batch.push(line);
  };
}
