// A scikit-learn model, run by a Python worker. Plain numeric rows travel as doubles; the rest as JSON.

import type { Backend, Datatype, Predictions, Prepared, Tensor } from "../backend.js";
import { inferenceError, invalidInput, StartupError } from "../errors.js";
import { findModelFile } from "../modelfile.js";
import type { Frame } from "./frames.js";
import { startWorker, type Worker } from "./worker.js";

export interface SklearnOptions {
  readonly modelDir: string;
  readonly modelDirLabel: string;
  readonly python: string | undefined;
  /** The worker's program. */
  readonly script: string;
  readonly onLog: (line: string) => void;
  /** A worker that was started ahead of time. */
  readonly worker?: Worker | undefined;
}

type SklearnPrepared = MatrixPrepared | JsonPrepared;

interface MatrixPrepared extends Prepared {
  readonly form: "matrix";
  readonly columns: number;
  /** Python would make an integer array of them, and some models care. */
  readonly integers: boolean;
  readonly values: Float64Array;
}

interface JsonPrepared extends Prepared {
  readonly form: "json";
  readonly instances: readonly unknown[];
}

export async function sklearnBackend(options: SklearnOptions): Promise<Backend<SklearnPrepared>> {
  const file = findModelFile(options.modelDir, options.modelDirLabel, [".joblib", ".pkl", ".pickle"]);
  if (!options.python) {
    throw new StartupError(
      "Python with scikit-learn is not installed here: DRYDOCK_PYTHON names no program. Run `drydock runtimes install sklearn`.",
    );
  }
  const { python, script, onLog } = options;
  const worker = options.worker ?? startWorker({ python, script, onLog });
  const about = await worker.load(file);
  const { features, datatype } = about as { readonly features: number; readonly datatype: Datatype };

  async function run(batch: readonly SklearnPrepared[]): Promise<readonly Predictions[]> {
    const first = batch[0]!;
    const rows = batch.reduce((sum, one) => sum + one.rows, 0);
    const frame =
      first.form === "json"
        ? await worker.call({ op: "predict", form: "json" }, Buffer.from(JSON.stringify(first.instances)))
        : await worker.call(
            { op: "predict", form: "matrix", rows, columns: first.columns, integers: first.integers },
            joined(batch as readonly MatrixPrepared[]),
          );
    const predictions = answerOf(frame) as Predictions;
    if (batch.length === 1) return [predictions];
    // A model that answers per call, not per row, cannot be shared; the batcher then runs each request alone.
    if (frame.header["rows"] !== rows) throw inferenceError("The model did not answer row by row.");
    let at = 0;
    return batch.map((one) => {
      const from = at;
      at += one.rows;
      return predictions.slice(from, at);
    });
  }

  async function infer(inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
    const payload = Buffer.from(JSON.stringify(inputs));
    return answerOf(await worker.call({ op: "infer" }, payload)) as readonly Tensor[];
  }

  return {
    platform: "sklearn",
    inputs: [{ name: "input-0", datatype: "FP64", shape: [-1, features] }],
    outputs: [{ name: "output-0", datatype, shape: [-1] }],
    prepare,
    run,
    infer,
    died: worker.died,
    close: worker.close,
  };
}

function answerOf({ header, payload }: Frame): unknown {
  const { error } = header;
  if (typeof error === "string") throw inferenceError(error);
  return JSON.parse(payload.toString("utf8"));
}

function prepare(instances: readonly unknown[]): SklearnPrepared {
  if (instances.length === 0) throw invalidInput('Expected "instances" to hold at least one row.');
  return asMatrix(instances) ?? { form: "json", rows: instances.length, shape: undefined, instances };
}

/** Rows of numbers, all of one width; anything else is Python's to judge. */
function asMatrix(instances: readonly unknown[]): MatrixPrepared | undefined {
  const rows = instances.length;
  const first = instances[0];
  if (!Array.isArray(first) || first.length === 0) return undefined;
  const columns = first.length;
  const values = new Float64Array(rows * columns);
  let integers = true;
  let at = 0;
  for (const row of instances) {
    if (!Array.isArray(row) || row.length !== columns) return undefined;
    for (const value of row) {
      if (typeof value !== "number") return undefined;
      integers &&= Number.isInteger(value);
      values[at++] = value;
    }
  }
  return { form: "matrix", rows, columns, integers, values, shape: `${columns}${integers ? "i" : "f"}` };
}

function joined(batch: readonly MatrixPrepared[]): Uint8Array {
  if (batch.length === 1) return bytesOf(batch[0]!.values);
  const all = new Float64Array(batch.reduce((sum, one) => sum + one.values.length, 0));
  let at = 0;
  for (const { values } of batch) {
    all.set(values, at);
    at += values.length;
  }
  return bytesOf(all);
}

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
