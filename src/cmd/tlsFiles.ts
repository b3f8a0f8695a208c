// Certificates that Gateways name as files: read when routes are compiled, and looked at for changes.
import { readFileSync, watchFile } from "node:fs";
import { isAbsolute } from "node:path";

/** A look at a file's date costs nothing; certificates change every few weeks. */
const lookEveryMs = 2_000;
/** More than any set of Gateways names; each is a timer. */
const filesLimit = 64;
/** A chain of certificates is a few kilobytes. */
const bytesLimit = 1024 * 1024;

/** Reads a file by its path; undefined for what is none. */
export function tlsFiles(changed: () => void): (path: string) => string | undefined {
  const watched = new Set<string>();
  return (path) => {
    if (!isAbsolute(path)) return undefined;
    if (!watched.has(path) && watched.size < filesLimit) {
      watched.add(path);
      watchFile(path, { interval: lookEveryMs, persistent: false }, changed);
    }
    try {
      const text = readFileSync(path, "utf8");
      return text.length > bytesLimit ? undefined : text;
    } catch {
      return undefined;
    }
  };
}
