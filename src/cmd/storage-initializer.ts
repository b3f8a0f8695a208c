// The init container's process: pairs of URI and folder in, files or one clear line out.

import { writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initializeStorage, runInitializer } from "../adapters/storage/index.js";
import { becomeTold, isSpare, leave } from "./spare.js";
import { version } from "./version.js";

const stopping = new AbortController();
const { signal } = stopping;
process.on("SIGTERM", () => stopping.abort());
process.on("SIGINT", () => stopping.abort());

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
if (isSpare()) await becomeTold(rehearse, "leaves");
const env = { DRYDOCK_EXAMPLES: examples, ...process.env };
// Synchronous, and on stderr as upstream's: nothing is left to wait for at the end.
const say = (line: string) => void writeSync(2, line + "\n");
leave(await runInitializer(process.argv.slice(2), { env, signal, say, version }));

/** Fetches our own example a few times, for nobody: what a first copy has to load and compile is then behind us. */
async function rehearse(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "drydock-rehearsal-"));
  const uri = `file://${join(examples, "models/onnx-iris")}`;
  try {
    for (const name of ["1", "2", "3", "4", "5", "6"]) {
      const dest = join(folder, name);
      await initializeStorage([{ uri, dest, label: dest }], { log: () => {}, signal, env: {} });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
