// A model in ONNX form, run inside this process.

import type { Backend, Predictions, Prepared, Tensor, TensorInfo } from "../backend.js";
import { firstLine, inferenceError, invalidInput, messageOf, StartupError } from "../errors.js";
import { findModelFile } from "../modelfile.js";
import { describeValue, elementType, readElement } from "./elements.js";
import { loadOnnxRuntime, type OnnxSession, type OnnxTensor, type ValueMetadata } from "./runtime.js";
import { type Block, type InputSpec, joinBlocks, layOut, product, readRows, sliceBlock } from "./tensors.js";

export interface OnnxOptions {
  readonly modelDir: string;
  readonly modelDirLabel: string;
  /** The folder of the onnxruntime-node package. */
  readonly runtimeFolder: string | undefined;
  readonly threads: number;
  readonly predictProba: boolean;
}

interface OnnxPrepared extends Prepared {
  readonly blocks: readonly Block[];
}

export async function onnxBackend(options: OnnxOptions): Promise<Backend<OnnxPrepared>> {
  const file = findModelFile(options.modelDir, options.modelDirLabel, [".onnx"]);
  const runtime = loadOnnxRuntime(options.runtimeFolder);
  const session = await openSession();
  const inputs = session.inputMetadata.map((input) => inputSpec(file.label, input));
  const outputs = session.outputMetadata.flatMap(tensorInfo);
  if (inputs.length === 0) throw new StartupError(`Model file ${file.label} has no inputs.`);
  if (outputs.length === 0)
    throw new StartupError(`Model file ${file.label} has no tensor among its outputs.`);
  const answer = pickOutput(outputs, options.predictProba);
  // A model of fixed batch size takes exactly so many rows a call; all others take any number.
  const fixedRows = inputs.map(({ shape }) => shape[0] ?? -1).find((rows) => rows !== -1);
  const joinable = fixedRows === undefined && answer.shape[0] === -1;

  async function openSession(): Promise<OnnxSession> {
    try {
      return await runtime.InferenceSession.create(file.path, {
        executionProviders: ["cpu"],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        // Warnings about unused initializers would bury the one line that names a failure.
        logSeverityLevel: 3,
      });
    } catch (error) {
      const because = firstLine(messageOf(error)).replaceAll(file.path, file.label);
      throw new StartupError(`Model file ${file.label} cannot be loaded: ${because}`, { cause: error });
    }
  }

  function prepare(instances: readonly unknown[]): OnnxPrepared {
    if (instances.length === 0) throw invalidInput('Expected "instances" to hold at least one row.');
    const blocks = inputs.map((input, at) => layOut(input, columnOf(input, at, instances)));
    if (fixedRows !== undefined && instances.length % fixedRows !== 0) {
      throw invalidInput(
        `This model takes ${fixedRows} instances at a time, but ${instances.length} were sent.`,
      );
    }
    const shape = joinable ? blocks.map((block) => block.inner.join("x")).join(",") : undefined;
    return { rows: instances.length, shape, blocks };
  }

  /** The rows of one input: plain rows for a model with one, the value under its name for a model with several. */
  function columnOf(input: InputSpec, at: number, instances: readonly unknown[]): readonly unknown[] {
    if (!isRecord(instances[0])) {
      if (inputs.length === 1) return instances;
      const names = inputs.map(({ name }) => name).join(", ");
      throw invalidInput(`This model has several inputs: each instance must be an object with ${names}.`);
    }
    return instances.map((instance, row) => {
      if (!isRecord(instance))
        throw invalidInput(`Instance ${row} is ${describeValue(instance)}, not an object.`);
      const value = instance[input.name];
      if (value !== undefined) return value;
      // Named columns for a model with one input: their order is the order of the keys.
      if (inputs.length === 1 && at === 0) return Object.values(instance);
      throw invalidInput(`Instance ${row} has no value for input "${input.name}".`);
    });
  }

  async function run(batch: readonly OnnxPrepared[]): Promise<readonly Predictions[]> {
    const blocks = inputs.map((input, at) =>
      joinBlocks(
        input,
        batch.map((one) => one.blocks[at]!),
      ),
    );
    const rows = blocks[0]!.rows;
    const predictions: unknown[] = [];
    for (let from = 0; from < rows; from += fixedRows ?? rows) {
      const part =
        fixedRows === undefined ? blocks : blocks.map((block) => sliceBlock(block, from, fixedRows));
      const results = await call(feedsOf(part), [answer.name]);
      const read = readRows(results[answer.name]!);
      if (part === blocks && batch.length === 1) return [read];
      for (const row of read) predictions.push(row);
    }
    if (batch.length === 1) return [predictions];
    // A model that answers per call, not per row, cannot be shared; the batcher then runs each request alone.
    if (predictions.length !== rows)
      throw inferenceError(`The model gave ${predictions.length} answers to ${rows} rows.`);
    let at = 0;
    return batch.map((one) => {
      const from = at;
      at += one.rows;
      return predictions.slice(from, at);
    });
  }

  function feedsOf(blocks: readonly Block[]): Record<string, OnnxTensor> {
    const feeds: Record<string, OnnxTensor> = {};
    inputs.forEach((input, at) => {
      const { rows, inner, data } = blocks[at]!;
      feeds[input.name] = new runtime.Tensor(input.element.type, data, [rows, ...inner]);
    });
    return feeds;
  }

  async function call(feeds: Record<string, OnnxTensor>, wanted: readonly string[]) {
    try {
      return await session.run(feeds, wanted);
    } catch (error) {
      throw inferenceError(firstLine(messageOf(error)));
    }
  }

  async function infer(
    given: readonly Tensor[],
    wanted: readonly string[] | undefined,
  ): Promise<readonly Tensor[]> {
    const feeds: Record<string, OnnxTensor> = {};
    inputs.forEach((input) => {
      // Clients of single-input models rarely know its name, and upstream's own examples say input-0.
      const tensor =
        given.find(({ name }) => name === input.name) ?? (inputs.length === 1 ? given[0] : undefined);
      if (tensor === undefined) throw invalidInput(`Input "${input.name}" is missing.`);
      feeds[input.name] = new runtime.Tensor(input.element.type, elementsOf(input, tensor), tensor.shape);
    });
    const names = wanted ?? outputs.map(({ name }) => name);
    const results = await call(feeds, names);
    return names.map((name) => {
      const { type, dims, data } = results[name]!;
      const elements = Array.from({ length: data.length }, (_, at) => readElement(type, data, at));
      return { name, datatype: elementType(type)!.datatype, shape: dims, data: elements };
    });
  }

  return {
    platform: "onnxruntime_onnx",
    inputs: inputs.map(({ name, element, shape }) => ({ name, datatype: element.datatype, shape })),
    outputs,
    prepare,
    run,
    infer,
    // In this process a crash of the runtime takes the server along, so there is nobody left to tell.
    died: new Promise(() => {}),
    close: () => session.release(),
  };
}

function elementsOf(input: InputSpec, tensor: Tensor) {
  const fits =
    input.shape.length === 0 ||
    (tensor.shape.length === input.shape.length &&
      input.shape.every((size, at) => size === -1 || size === tensor.shape[at]));
  if (!fits) {
    const wanted = input.shape.join(", ");
    throw invalidInput(
      `Input "${input.name}" takes shape [${wanted}], but was sent [${tensor.shape.join(", ")}].`,
    );
  }
  const data = input.element.make(product(tensor.shape));
  const where = () => `Input "${input.name}" (${input.element.type})`;
  for (let at = 0; at < data.length; at++) data[at] = input.element.parse(tensor.data[at], where);
  return data;
}

function inputSpec(file: string, input: ValueMetadata): InputSpec {
  const element = input.isTensor ? elementType(input.type) : undefined;
  if (!input.isTensor || element === undefined) {
    const type = input.isTensor ? input.type : "not a tensor";
    throw new StartupError(
      `Model file ${file}: input "${input.name}" is ${type}, which this server cannot feed.`,
    );
  }
  return { name: input.name, element, shape: sizes(input.shape) };
}

function tensorInfo(output: ValueMetadata): TensorInfo[] {
  const element = output.isTensor ? elementType(output.type) : undefined;
  if (!output.isTensor || element === undefined) return [];
  return [{ name: output.name, datatype: element.datatype, shape: sizes(output.shape) }];
}

function sizes(shape: readonly (number | string)[]): number[] {
  return shape.map((size) => (typeof size === "number" ? size : -1));
}

/** Converted classifiers answer label first, then probabilities: the same pair as predict and predict_proba. */
function pickOutput(outputs: readonly TensorInfo[], predictProba: boolean): TensorInfo {
  const proba = outputs.find(({ datatype, shape }) => datatype.startsWith("FP") && shape.length === 2);
  return (predictProba ? proba : undefined) ?? outputs[0]!;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
