// The entries of a zip file, one after the other.

import type { Readable } from "node:stream";
import { openPromise } from "yauzl";
import type { ArchiveEntry } from "./archive.js";
import { StorageError } from "./errors.js";
import { maxPathBytes } from "./limits.js";

/** The upper half of the external attributes is a Unix mode when a Unix made the file. */
const fileTypeMask = 0o170000;
const symlinkType = 0o120000;

export async function* readZip(path: string): AsyncIterable<ArchiveEntry> {
  try {
    // Entry sizes are held against what really comes out.
    const zip = await openPromise(path, { validateEntrySizes: true });
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      const body = await zip.openReadStreamPromise(entry);
      const mode = (entry.externalFileAttributes >>> 16) & fileTypeMask;
      if (name.endsWith("/")) yield { name, type: "folder", target: "", body };
      else if (mode !== symlinkType) yield { name, type: "file", target: "", crc: entry.crc32, body };
      else yield { name, type: "symlink", target: await readTarget(body), body };
    }
  } catch (error) {
    throw refusal(error as Error);
  }
}

/** The reader refuses some names by itself; its words become ours. */
function refusal(error: Error): Error {
  const name = /^(?:invalid relative path|absolute path|invalid characters in fileName): (.*)$/.exec(
    error.message,
  )?.[1];
  if (name === undefined) return error;
  return new StorageError(
    `Failed to unpack archive file. Entry '${name}' leads outside of the model directory.`,
  );
}

async function readTarget(body: Readable): Promise<string> {
  let target = "";
  for await (const chunk of body) {
    target += String(chunk);
    if (target.length > maxPathBytes)
      throw new StorageError("Failed to unpack archive file. A link is too long.");
  }
  return target;
}
