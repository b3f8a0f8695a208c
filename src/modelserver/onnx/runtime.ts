// The part of ONNX Runtime that is used here, and how it is found. It is installed on demand, never a dependency.

import { createRequire } from "node:module";
import { join } from "node:path";
import { firstLine, messageOf, StartupError } from "../errors.js";

export type OnnxType =
  | "float32"
  | "float64"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "bool"
  | "string";

export type OnnxData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

export interface OnnxTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: OnnxData;
}

export type ValueMetadata =
  | { readonly name: string; readonly isTensor: false }
  | {
      readonly name: string;
      readonly isTensor: true;
      readonly type: string;
      /** A name (or nothing) stands where the model leaves the size open. */
      readonly shape: readonly (number | string)[];
    };

export interface OnnxSession {
  readonly inputMetadata: readonly ValueMetadata[];
  readonly outputMetadata: readonly ValueMetadata[];
  run(
    feeds: Readonly<Record<string, OnnxTensor>>,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

export interface OnnxRuntime {
  readonly Tensor: new (type: OnnxType, data: OnnxData, dims: readonly number[]) => OnnxTensor;
  readonly InferenceSession: {
    create(path: string, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
}

export function loadOnnxRuntime(folder: string | undefined): OnnxRuntime {
  if (folder === undefined || folder === "") {
    throw new StartupError(
      "ONNX Runtime is not installed here: DRYDOCK_ONNXRUNTIME names no folder. Run `drydock runtimes install onnx`.",
    );
  }
  try {
    return createRequire(join(folder, "package.json"))(folder) as OnnxRuntime;
  } catch (error) {
    throw new StartupError(`ONNX Runtime in ${folder} cannot be loaded: ${firstLine(messageOf(error))}`, {
      cause: error,
    });
  }
}
