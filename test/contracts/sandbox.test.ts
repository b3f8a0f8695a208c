// The contract of a sandbox, held against processes and against a real container engine.
import { randomUUID } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/adapters/clock/index.js";
import { ask } from "../../src/adapters/engine/discover.js";
import { engineImages } from "../../src/adapters/engine/images.js";
import { engineSandbox } from "../../src/adapters/engine/sandbox.js";
import { processSandbox } from "../../src/adapters/process/index.js";
import { describeWithEngine, shellImage } from "../containers/engine.js";
import { sandboxContract } from "./sandbox.js";

sandboxContract("processes of this machine", async () => {
  const runFolder = await mkdtemp(join(tmpdir(), "sandbox-run-"));
  return {
    open: () => processSandbox({ runFolder, clock: systemClock() }),
    image: {
      reference: "drydock/host",
      digest: "drydock/host@sha256:0",
      entrypoint: [],
      defaultArgs: [],
      env: {},
      rewritesPaths: true,
    },
  };
});

describeWithEngine("with an engine", (engine) => {
  sandboxContract(`containers of ${engine.name} ${engine.version}`, async () => {
    const tag = await shellImage(engine.api);
    const found = await engineImages(engine).resolve(tag);
    if (found.outcome === "missing") throw new Error(found.because);
    return {
      open: async () =>
        engineSandbox({ engine: await ask(engine.address), clock: systemClock(), instance: randomUUID() }),
      image: found.image,
    };
  });
});
