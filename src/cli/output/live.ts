// Text that is drawn again in place on a terminal.
import type { Terminal } from "../context.js";
import { widthOf } from "./style.js";

export interface LiveBlock {
  draw(lines: readonly string[]): void;
}

type Out = Pick<Terminal, "out" | "columns">;

export function liveBlock(terminal: Out): LiveBlock {
  let shown = 0;
  let last = "";
  return {
    draw(lines) {
      const up = shown > 0 ? `\u001b[${shown}A` : "";
      // One write, or a slow terminal shows the block half cleared.
      const text = lines.map((line) => `${clipped(line, terminal.columns)}\u001b[K\n`).join("");
      if (text === last) return;
      last = text;
      terminal.out(`${up}${text}\u001b[J`);
      shown = lines.length;
    },
  };
}

/** A line that wraps would take two rows, and the block could not be found again. */
function clipped(line: string, width: number): string {
  if (width <= 0 || widthOf(line) < width) return line;
  let left = width - 2;
  let text = "";
  for (const [piece, code] of line.matchAll(/(\u001b\[[0-9;]*m)|[^\u001b]+/g)) {
    // Escapes take no room, and one cut in half would colour the rest of the screen.
    text += code ?? piece.slice(0, left);
    if (code === undefined) left -= Math.min(left, piece.length);
    if (left === 0) break;
  }
  return `${text}…${line.includes("\u001b") ? "\u001b[0m" : ""}`;
}

export interface Progress {
  say(line: string): void;
  /** Takes the passing line away. */
  done(): void;
}

/** What a waiting user sees on stderr: one line that changes, or plain lines where there is no terminal. */
export function progress(terminal: Terminal): Progress {
  let last = "";
  return {
    say(line) {
      if (line === last) return;
      last = line;
      terminal.err(terminal.errIsTty ? `\r${clipped(line, terminal.columns)}\u001b[K` : `${line}\n`);
    },
    done() {
      if (terminal.errIsTty && last !== "") terminal.err("\r\u001b[K");
      last = "";
    },
  };
}
