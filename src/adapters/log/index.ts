// The Log port: one JSON line a thing, to a stream of its own.
import type { Writable } from "node:stream";
import type { Log } from "../../ports/index.js";

export { lineWriter } from "./lines.js";
export { type RotatingFile, rotatingFile } from "./rotating.js";

export function streamLog(to: Writable): Log {
  const write = (
    level: "info" | "error",
    message: string,
    fields?: { readonly [key: string]: unknown },
  ): void => {
    to.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
  };
  return {
    info: (message, fields) => write("info", message, fields),
    error: (message, fields) => write("error", message, fields),
  };
}

export const silentLog: Log = { info: () => {}, error: () => {} };
