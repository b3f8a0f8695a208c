// The model server's process: options in, one loaded model out, a truthful exit code at the end.

import { writeFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type Backend,
  firstLine,
  messageOf,
  type Options,
  onnxBackend,
  parseOptions,
  rehearse,
  StartupError,
  serveModel,
  sklearnBackend,
  standIn,
  startWorker,
  type Worker,
} from "../modelserver/index.js";
import { becomeTold, isSpare } from "./spare.js";

process.on("uncaughtException", (error) => fail(describe(error), 1));
process.on("unhandledRejection", (error) => fail(describe(error), 1));

main().catch((error: unknown) => fail(describe(error), 1));

async function main(): Promise<void> {
  let worker: Worker | undefined;
  if (isSpare()) {
    let isWaiting = true;
    await becomeTold(async () => {
      worker = await warmUp();
      // Half of a spare is none.
      void worker?.died.then(() => isWaiting && process.exit(1));
    }, "whenever");
    isWaiting = false;
  }
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options.ignored.length > 0)
    log(`Ignoring arguments that mean nothing here: ${options.ignored.join(" ")}`);
  const backend = await openBackend(options, worker);
  log(`Registering model: ${options.modelName}`);
  const server = await serveModel(backend, options);
  log(`Listening on port ${server.port}`);

  let leaving = false;
  const leave = (signal: string) => {
    if (leaving) return;
    leaving = true;
    log(`${signal} received, finishing requests in flight`);
    void server
      .stop()
      .then(() => backend.close())
      .then(() => process.exit(0));
  };
  process.on("SIGTERM", () => leave("SIGTERM"));
  process.on("SIGINT", () => leave("SIGINT"));

  const death = await backend.died;
  if (leaving) return;
  leaving = true;
  await server.stop();
  fail(death.because, death.exitCode);
}

/** Loads the runtime and runs the code around it. What computes beside this process is started, and kept. */
async function warmUp(): Promise<Worker | undefined> {
  const options = parseOptions(process.argv.slice(2), process.env);
  const flower = [[6.8, 2.8, 4.8, 1.4]];
  if (options.backend === "onnx") {
    const modelDir = fileURLToPath(new URL("../../examples/models/onnx-iris", import.meta.url));
    const backend = await openBackend({ ...options, modelDir });
    await rehearse(backend, flower);
    await backend.close();
    return undefined;
  }
  const python = process.env["DRYDOCK_PYTHON"] ?? "";
  const worker = startWorker({ python, script: workerScript(), onLog: log });
  // A worker that has held a model is no fresh one: it plays for itself, and the server with a stand-in.
  await Promise.all([worker.warmUp(), rehearse(standIn, flower)]);
  return worker;
}

function workerScript(): string {
  return fileURLToPath(new URL("../../python/sklearn_worker.py", import.meta.url));
}

function openBackend(options: Options, worker?: Worker): Promise<Backend> {
  switch (options.backend) {
    case "onnx":
      return onnxBackend({
        ...options,
        runtimeFolder: process.env["DRYDOCK_ONNXRUNTIME"],
      }) as Promise<Backend>;
    case "sklearn":
      return sklearnBackend({
        ...options,
        python: process.env["DRYDOCK_PYTHON"],
        script: workerScript(),
        onLog: log,
        worker,
      }) as Promise<Backend>;
  }
}

function log(line: string): void {
  process.stdout.write(line + "\n");
}

function describe(error: unknown): string {
  if (error instanceof StartupError) return firstLine(error.message);
  return `${error instanceof Error ? error.name : "Error"}: ${firstLine(messageOf(error))}`;
}

/** Synchronous to the end: the cause must be on stderr and in the termination log before the process is gone. */
function fail(because: string, exitCode: number): never {
  const file = process.env["DRYDOCK_TERMINATION_LOG"];
  try {
    if (file) writeFileSync(file, because);
  } catch (error) {
    writeSync(2, `Cannot write the termination log: ${messageOf(error)}\n`);
  }
  writeSync(2, because + "\n");
  process.exit(exitCode);
}
