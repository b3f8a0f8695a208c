// Rows of JSON into one block of elements, and one block of elements back into rows.

import { invalidInput } from "../errors.js";
import { maxTensorRank } from "../limits.js";
import { describeValue, type ElementType, readElement } from "./elements.js";
import type { OnnxData, OnnxTensor } from "./runtime.js";

export interface InputSpec {
  readonly name: string;
  readonly element: ElementType;
  /** -1 where the request decides; empty when the model does not say. */
  readonly shape: readonly number[];
}

/** The rows of one request for one input: all of the same inner shape, laid out one after the other. */
export interface Block {
  readonly rows: number;
  readonly inner: readonly number[];
  readonly data: OnnxData;
}

export function layOut(spec: InputSpec, rows: readonly unknown[]): Block {
  const inner = innerShape(spec, rows);
  const width = product(inner);
  const data = spec.element.make(rows.length * width);
  const flat = inner.length <= 1 && spec.element.type === "float32" ? fillFloats : fill;
  flat(spec, rows, inner, data as Float32Array);
  return { rows: rows.length, inner, data };
}

/** What every row looks like, judged by the first one and held against the model. */
function innerShape(spec: InputSpec, rows: readonly unknown[]): readonly number[] {
  const seen: number[] = [];
  for (let value = rows[0]; Array.isArray(value); value = value[0]) {
    seen.push(value.length);
    if (seen.length > maxTensorRank)
      throw invalidInput(`Instances are nested deeper than ${maxTensorRank} lists.`);
  }
  if (spec.shape.length === 0) return seen;
  const wanted = spec.shape.slice(1);
  // A column of one is often sent as plain values.
  if (seen.length === 0 && wanted.length === 1 && (wanted[0] === 1 || wanted[0] === -1)) return [1];
  const fits = seen.length === wanted.length && wanted.every((size, at) => size === -1 || size === seen[at]);
  if (fits) return seen;
  const shown = wanted.map((size) => (size === -1 ? "any" : size)).join(", ");
  throw invalidInput(
    wanted.length === 0
      ? `Input "${spec.name}" takes one value for each instance, but instance 0 is ${describeValue(rows[0])}.`
      : `Input "${spec.name}" takes instances of shape [${shown}], but instance 0 has shape [${seen.join(", ")}].`,
  );
}

/** The common case, kept free of calls: flat rows of numbers. */
function fillFloats(
  spec: InputSpec,
  rows: readonly unknown[],
  inner: readonly number[],
  data: Float32Array,
): void {
  const width = inner[0] ?? 0;
  for (let row = 0; row < rows.length; row++) {
    const values = rows[row];
    if (!Array.isArray(values) || values.length !== width || width === 0) {
      fillRow(spec, values, inner, data, row);
      continue;
    }
    const from = row * width;
    for (let at = 0; at < width; at++) {
      const value = values[at];
      data[from + at] = typeof value === "number" ? value : parseAt(spec, value, row);
    }
  }
}

function fill(spec: InputSpec, rows: readonly unknown[], inner: readonly number[], data: OnnxData): void {
  for (let row = 0; row < rows.length; row++) fillRow(spec, rows[row], inner, data, row);
}

function fillRow(
  spec: InputSpec,
  instance: unknown,
  inner: readonly number[],
  data: OnnxData,
  row: number,
): void {
  let at = row * product(inner);
  const put = (value: unknown, depth: number): void => {
    if (depth === inner.length) {
      data[at++] = spec.element.parse(
        value,
        () => `Input "${spec.name}" (${spec.element.type}), instance ${row},`,
      );
      return;
    }
    if (!Array.isArray(value)) {
      // A single column may come as plain values; see innerShape.
      if (inner.length === 1 && inner[0] === 1) {
        put(value, 1);
        return;
      }
      throw invalidInput(`Instance ${row} is ${describeValue(value)} where instance 0 has a list.`);
    }
    if (value.length !== inner[depth]) {
      throw invalidInput(
        `Instance ${row} has ${value.length} values where instance 0 has ${inner[depth]}: all need the same shape.`,
      );
    }
    for (const element of value) put(element, depth + 1);
  };
  put(instance, 0);
}

function parseAt(spec: InputSpec, value: unknown, row: number): number {
  return spec.element.parse(
    value,
    () => `Input "${spec.name}" (${spec.element.type}), instance ${row},`,
  ) as number;
}

/** Blocks of the same inner shape as one. */
export function joinBlocks(spec: InputSpec, blocks: readonly Block[]): Block {
  if (blocks.length === 1) return blocks[0]!;
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const inner = blocks[0]!.inner;
  const data = spec.element.make(rows * product(inner));
  let at = 0;
  for (const block of blocks) {
    // One signature for all: the elements are of one type, but TypeScript sees every pair of arrays.
    if (Array.isArray(data))
      for (let i = 0; i < block.data.length; i++) data[at + i] = block.data[i] as string;
    else (data as Float32Array).set(block.data as Float32Array, at);
    at += block.data.length;
  }
  return { rows, inner, data };
}

/** Rows `from` to `from + rows` of a block. */
export function sliceBlock(block: Block, from: number, rows: number): Block {
  const width = product(block.inner);
  const [start, end] = [from * width, (from + rows) * width];
  const data = Array.isArray(block.data) ? block.data.slice(start, end) : block.data.subarray(start, end);
  return { rows, inner: block.inner, data };
}

/** A tensor as nested lists, one for each row; a lone value is a row. */
export function readRows(tensor: OnnxTensor): unknown[] {
  const { dims, data, type } = tensor;
  if (dims.length === 0) return [readElement(type, data, 0)];
  let at = 0;
  const read = (depth: number): unknown => {
    if (depth === dims.length) return readElement(type, data, at++);
    const list: unknown[] = [];
    for (let i = 0; i < dims[depth]!; i++) list.push(read(depth + 1));
    return list;
  };
  return read(0) as unknown[];
}

export function product(shape: readonly number[]): number {
  let size = 1;
  for (const side of shape) size *= side;
  return size;
}
