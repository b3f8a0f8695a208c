// The init container's process: pairs of URI and folder in, files or one clear line out.

import { writeFileSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initializeStorage, type Pair, StorageError, seedLog } from "../adapters/storage/index.js";
import { becomeTold, isSpare, leave } from "./spare.js";
import { version } from "./version.js";

const usage = "Usage: initializer-entrypoint src_uri_0 dest_path_0 [src_uri_1 dest_path_1 ...]";

/** What a shell reports for a process ended by SIGTERM. */
const terminatedExitCode = 143;

// Synchronous, and on stderr as upstream's: the order of lines is what the last one means.
const log = seedLog((line) => writeSync(2, line + "\n"));
const stopping = new AbortController();
process.on("SIGTERM", () => stopping.abort());
process.on("SIGINT", () => stopping.abort());

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
if (isSpare()) await becomeTold(rehearse, "leaves");
const pairs = pairsOf(process.argv.slice(2));
if (pairs === undefined) fail(usage, 1);

try {
  const env = { DRYDOCK_EXAMPLES: examples, ...process.env };
  await initializeStorage(pairs, { log, signal: stopping.signal, env, version });
  // All was written synchronously; nothing is left to wait for.
  leave(0);
} catch (error) {
  if (stopping.signal.aborted) leave(terminatedExitCode);
  const known = error instanceof StorageError;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const what = known ? "Storage initialization failed" : "Unexpected error during storage initialization";
  log("initializer-entrypoint:21", `${what}: ${oneLine(message)}`, "E");
  fail(`${name}: ${oneLine(message)}`, 1);
}

/** Fetches our own example a few times, for nobody: what a first copy has to load and compile is then behind us. */
async function rehearse(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "drydock-rehearsal-"));
  const uri = `file://${join(examples, "models/onnx-iris")}`;
  const { signal } = stopping;
  try {
    for (const name of ["1", "2", "3", "4", "5", "6"]) {
      const dest = join(folder, name);
      await initializeStorage([{ uri, dest, label: dest }], { log: () => {}, signal, env: {} });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function pairsOf(args: readonly string[]): readonly Pair[] | undefined {
  if (args.length === 0 || args.length % 2 !== 0) return undefined;
  // The folders of this machine are not the ones a user wrote: each pair may have a label to show instead.
  const labels = (process.env["DRYDOCK_MODEL_DIR_LABEL"] ?? "").split(":");
  return Array.from({ length: args.length / 2 }, (_, at) => {
    const dest = args[at * 2 + 1]!;
    return { uri: args[at * 2]!, dest, label: labels[at] || dest };
  });
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}

function fail(because: string, exitCode: number): never {
  const file = process.env["DRYDOCK_TERMINATION_LOG"];
  try {
    if (file) writeFileSync(file, because);
  } catch {
    // The line on stderr is what is left to say it with.
  }
  writeSync(2, because + "\n");
  leave(exitCode);
}
