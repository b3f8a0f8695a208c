// What the server asks of whatever computes: ONNX in this process, or Python in another.

/** The names of the V2 protocol. */
export type Datatype =
  | "BOOL"
  | "UINT8"
  | "UINT16"
  | "UINT32"
  | "UINT64"
  | "INT8"
  | "INT16"
  | "INT32"
  | "INT64"
  | "FP32"
  | "FP64"
  | "BYTES";

/** One named tensor of a model; -1 stands for a size that the request decides. */
export interface TensorInfo {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** One tensor of a request or an answer, its elements in row order. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}

/** A request's instances, checked and laid out for the model. */
export interface Prepared {
  readonly rows: number;
  /** Requests of the same shape may share one call of the model; `undefined` always runs alone. */
  readonly shape: string | undefined;
}

export type Predictions = readonly unknown[];

export interface Backend<P extends Prepared = Prepared> {
  readonly platform: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Throws a RequestError when the instances do not fit the model. */
  prepare(instances: readonly unknown[]): P;
  /** One call of the model for all of them; the answers come in the same order. */
  run(batch: readonly P[]): Promise<readonly Predictions[]>;
  infer(inputs: readonly Tensor[], wanted: readonly string[] | undefined): Promise<readonly Tensor[]>;
  /** Settles only if the backend can never answer again. */
  readonly died: Promise<BackendDeath>;
  close(): Promise<void>;
}

export interface BackendDeath {
  readonly because: string;
  readonly exitCode: number;
}
