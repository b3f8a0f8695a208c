// How one JSON value becomes one element of an ONNX tensor, and back, for each element type.

import type { Datatype } from "../backend.js";
import { invalidInput } from "../errors.js";
import type { OnnxData, OnnxType } from "./runtime.js";

export interface ElementType {
  readonly type: OnnxType;
  readonly datatype: Datatype;
  readonly make: (length: number) => OnnxData;
  /** `where` is only asked for when the value is refused. */
  readonly parse: (value: unknown, where: () => string) => number | bigint | string;
}

type Where = () => string;

function parseFloatElement(value: unknown, where: Where): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  // JSON cannot spell NaN, and upstream reads null as one.
  if (value === null) return Number.NaN;
  throw refused(value, "a number", where);
}

function integerWithin(min: number, max: number) {
  return (value: unknown, where: Where): number => {
    const whole = typeof value === "boolean" ? Number(value) : value;
    if (typeof whole !== "number" || !Number.isInteger(whole)) throw refused(value, "a whole number", where);
    if (whole < min || whole > max) throw refused(value, `a whole number from ${min} to ${max}`, where);
    return whole;
  };
}

function bigWithin(bits: number, signed: boolean) {
  const wrapped = signed ? BigInt.asIntN : BigInt.asUintN;
  return (value: unknown, where: Where): bigint => {
    const whole = typeof value === "boolean" ? Number(value) : value;
    if (typeof whole !== "number" || !Number.isInteger(whole)) throw refused(value, "a whole number", where);
    const big = BigInt(whole);
    if (wrapped(bits, big) !== big)
      throw refused(value, `a ${signed ? "signed" : "unsigned"} ${bits}-bit number`, where);
    return big;
  };
}

function parseBoolean(value: unknown, where: Where): number {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === 0 || value === 1) return value;
  throw refused(value, "true or false", where);
}

function parseString(value: unknown, where: Where): string {
  if (typeof value === "string") return value;
  // A column of mixed codes is common; Python's str() does the same.
  if (typeof value === "number") return String(value);
  throw refused(value, "a string", where);
}

const elementTypes: readonly ElementType[] = [
  { type: "float32", datatype: "FP32", make: (n) => new Float32Array(n), parse: parseFloatElement },
  { type: "float64", datatype: "FP64", make: (n) => new Float64Array(n), parse: parseFloatElement },
  { type: "int8", datatype: "INT8", make: (n) => new Int8Array(n), parse: integerWithin(-128, 127) },
  { type: "int16", datatype: "INT16", make: (n) => new Int16Array(n), parse: integerWithin(-32_768, 32_767) },
  {
    type: "int32",
    datatype: "INT32",
    make: (n) => new Int32Array(n),
    parse: integerWithin(-(2 ** 31), 2 ** 31 - 1),
  },
  { type: "int64", datatype: "INT64", make: (n) => new BigInt64Array(n), parse: bigWithin(64, true) },
  { type: "uint8", datatype: "UINT8", make: (n) => new Uint8Array(n), parse: integerWithin(0, 255) },
  { type: "uint16", datatype: "UINT16", make: (n) => new Uint16Array(n), parse: integerWithin(0, 65_535) },
  {
    type: "uint32",
    datatype: "UINT32",
    make: (n) => new Uint32Array(n),
    parse: integerWithin(0, 2 ** 32 - 1),
  },
  { type: "uint64", datatype: "UINT64", make: (n) => new BigUint64Array(n), parse: bigWithin(64, false) },
  { type: "bool", datatype: "BOOL", make: (n) => new Uint8Array(n), parse: parseBoolean },
  { type: "string", datatype: "BYTES", make: (n) => new Array<string>(n).fill(""), parse: parseString },
];

const byType: ReadonlyMap<string, ElementType> = new Map(elementTypes.map((one) => [one.type, one]));

export function elementType(type: string): ElementType | undefined {
  return byType.get(type);
}

/** One element as JSON can carry it: 64-bit integers become numbers, bytes of a bool become true and false. */
export function readElement(type: string, data: OnnxData, at: number): unknown {
  const value = data[at];
  if (typeof value === "bigint") return Number(value);
  return type === "bool" ? value === 1 : value;
}

function refused(value: unknown, wanted: string, where: Where) {
  return invalidInput(`${where()} takes ${wanted}, not ${describeValue(value)}.`);
}

export function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
