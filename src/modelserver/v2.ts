// The V2 (Open Inference) protocol with JSON tensors.

import type { Datatype, Tensor, TensorInfo } from "./backend.js";
import { invalidInput } from "./errors.js";
import { maxTensorRank } from "./limits.js";
import { isRecord } from "./v1.js";

export interface InferRequest {
  readonly id: string | undefined;
  readonly inputs: readonly Tensor[];
  /** The outputs asked for; `undefined` means all. */
  readonly outputs: readonly string[] | undefined;
}

/** What is wrong with the shape of a body, as upstream's validator lists it (status 422). */
export interface FieldError {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
}

export class FieldErrors extends Error {
  override readonly name = "FieldErrors";
  constructor(readonly errors: readonly FieldError[]) {
    super(errors.map(({ msg, loc }) => `${loc.join(".")}: ${msg}`).join("; "));
  }
}

const datatypes: ReadonlySet<string> = new Set<Datatype>([
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP32",
  "FP64",
  "BYTES",
]);

export function readInferRequest(
  payload: unknown,
  model: string,
  known: readonly TensorInfo[],
): InferRequest {
  const errors: FieldError[] = [];
  const body = isRecord(payload) ? payload : {};
  if (!isRecord(payload))
    errors.push(wrongType(["body"], "model_attributes_type", "a valid object", payload));
  else if (body["inputs"] === undefined) errors.push(missing(["body", "inputs"], payload));
  else if (!Array.isArray(body["inputs"]))
    errors.push(wrongType(["body", "inputs"], "list_type", "a valid list", body["inputs"]));
  const inputs = Array.isArray(body["inputs"]) ? body["inputs"] : [];
  inputs.forEach((input, at) => {
    errors.push(...inputErrors(input, ["body", "inputs", at]));
  });
  if (errors.length > 0) throw new FieldErrors(errors);
  if (inputs.length === 0) throw invalidInput(`No input tensor was sent for model '${model}'.`);
  const id = body["id"];
  return {
    id: typeof id === "string" ? id : undefined,
    inputs: inputs.map((input) => readTensor(input as RawTensor, model)),
    outputs: readWanted(body["outputs"], model, known),
  };
}

interface RawTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data?: readonly unknown[];
}

function inputErrors(input: unknown, loc: readonly (string | number)[]): FieldError[] {
  if (!isRecord(input)) return [wrongType(loc, "model_attributes_type", "a valid object", input)];
  const errors: FieldError[] = [];
  const need = (field: string, type: string, wanted: string, fits: (value: unknown) => boolean) => {
    const value = input[field];
    if (value === undefined) errors.push(missing([...loc, field], input));
    else if (!fits(value)) errors.push(wrongType([...loc, field], type, wanted, value));
  };
  need("name", "string_type", "a valid string", (value) => typeof value === "string");
  need("shape", "list_type", "a valid list of whole numbers", isShape);
  need("datatype", "string_type", "a valid string", (value) => typeof value === "string");
  if (input["data"] !== undefined && !Array.isArray(input["data"])) {
    errors.push(wrongType([...loc, "data"], "list_type", "a valid list", input["data"]));
  }
  return errors;
}

function readTensor(raw: RawTensor, model: string): Tensor {
  const { name, shape } = raw;
  if (raw.datatype === "FP16") {
    throw invalidInput(
      `Receiving FP16 data via JSON is not supported. Please use the binary data format for input ${name}`,
    );
  }
  if (!datatypes.has(raw.datatype))
    throw invalidInput(`Input '${name}' has unknown datatype '${raw.datatype}'.`);
  if (raw.data === undefined)
    throw invalidInput(`'data' field is missing for input '${name}' for model '${model}'`);
  const data = raw.data.some(Array.isArray) ? (raw.data.flat(maxTensorRank) as unknown[]) : raw.data;
  const wanted = shape.reduce((size, side) => size * side, 1);
  if (data.length !== wanted) {
    throw invalidInput(
      `Input '${name}' holds ${data.length} elements, but shape [${shape.join(", ")}] takes ${wanted}.`,
    );
  }
  return { name, shape, datatype: raw.datatype as Datatype, data };
}

function readWanted(
  outputs: unknown,
  model: string,
  known: readonly TensorInfo[],
): readonly string[] | undefined {
  if (!Array.isArray(outputs) || outputs.length === 0) return undefined;
  return outputs.map((output: unknown) => {
    const name = isRecord(output) ? output["name"] : undefined;
    const found = known.find((one) => one.name === name);
    if (found === undefined) throw invalidInput(`Unexpected inference output '${name}' for model '${model}'`);
    return found.name;
  });
}

export function inferResponse(model: string, id: string, outputs: readonly Tensor[]) {
  return {
    model_name: model,
    model_version: null,
    id,
    parameters: null,
    outputs: outputs.map(({ name, shape, datatype, data }) => ({
      name,
      shape,
      datatype,
      parameters: null,
      data,
    })),
  };
}

function isShape(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length <= maxTensorRank && value.every((n) => Number.isInteger(n) && n >= 0)
  );
}

function missing(loc: readonly (string | number)[], input: unknown): FieldError {
  return { type: "missing", loc, msg: "Field required", input };
}

function wrongType(
  loc: readonly (string | number)[],
  type: string,
  wanted: string,
  input: unknown,
): FieldError {
  return { type, loc, msg: `Input should be ${wanted}`, input };
}
