// Numbers, truth values and durations as Go writes and reads them: the ConfigMaps' users know those texts and its complaints.

/** What a text says, or in Go's words why it says nothing. */
export type Parsed<T> = { readonly value: T } | { readonly because: string };

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const int32 = { min: -(2n ** 31n), max: 2n ** 31n - 1n };

export const parseInt64 = (text: string): Parsed<number> => integer(text, "ParseInt", int64);
export const parseInt32 = (text: string): Parsed<number> => integer(text, "ParseInt", int32);
export const parseUint32 = (text: string): Parsed<number> =>
  /^[+-]/.test(text)
    ? refused("ParseUint", text, "invalid syntax")
    : integer(text, "ParseUint", { min: 0n, max: 2n ** 32n - 1n });
/** Go's plain int, whose parser goes by another name. */
export const parseInteger = (text: string): Parsed<number> => integer(text, "Atoi", int64);

function integer(
  text: string,
  parser: string,
  range: { readonly min: bigint; readonly max: bigint },
): Parsed<number> {
  if (!/^[+-]?\d+$/.test(text)) return refused(parser, text, "invalid syntax");
  const value = text.length > 64 ? range.max + 1n : BigInt(text.startsWith("+") ? text.slice(1) : text);
  if (value < range.min || value > range.max) return refused(parser, text, "value out of range");
  return { value: Number(value) };
}

/** No infinity and no NaN, though Go knows them: nothing can be decided with either. */
export function parseFloat64(text: string): Parsed<number> {
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text))
    return refused("ParseFloat", text, "invalid syntax");
  const value = Number(text);
  return Number.isFinite(value) ? { value } : refused("ParseFloat", text, "value out of range");
}

export function parseBool(text: string): Parsed<boolean> {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return { value: true };
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return { value: false };
  return refused("ParseBool", text, "invalid syntax");
}

function refused(parser: string, text: string, why: string): { readonly because: string } {
  return { because: `strconv.${parser}: parsing ${JSON.stringify(text)}: ${why}` };
}

const unitNanos: { readonly [unit: string]: bigint } = {
  ns: 1n,
  us: 1_000n,
  "\u00b5s": 1_000n,
  "\u03bcs": 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** `1h15m30.5s` as nanoseconds. */
export function parseDuration(text: string): Parsed<bigint> {
  const invalid = { because: `time: invalid duration ${JSON.stringify(text)}` };
  const negative = text.startsWith("-");
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return { value: 0n };
  // Longer texts are no durations of this world, and digits are exact here: they cost.
  if (rest === "" || rest.length > 64) return invalid;
  let nanos = 0n;
  while (rest !== "") {
    const [number, whole = "", , fraction = ""] = /^(\d*)(\.(\d*))?/.exec(rest) ?? [""];
    if (whole === "" && fraction === "") return invalid;
    rest = rest.slice(number.length);
    const unit = /^[^.\d]+/.exec(rest)?.[0];
    if (unit === undefined) return { because: `time: missing unit in duration ${JSON.stringify(text)}` };
    const size = Object.hasOwn(unitNanos, unit) ? unitNanos[unit] : undefined;
    if (size === undefined)
      return { because: `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}` };
    rest = rest.slice(unit.length);
    nanos += BigInt(whole || "0") * size + (BigInt(fraction || "0") * size) / 10n ** BigInt(fraction.length);
    if (nanos > int64.max) return invalid;
  }
  return { value: negative ? -nanos : nanos };
}

export function milliseconds(nanos: bigint): number {
  return Number(nanos) / 1e6;
}

/** As Go prints a duration: `1h0m0s`, `1.5s`, `20ms`. */
export function durationText(nanos: bigint): string {
  if (nanos === 0n) return "0s";
  const sign = nanos < 0n ? "-" : "";
  const size = nanos < 0n ? -nanos : nanos;
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}\u00b5s`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = `${decimal(size % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return `${sign}${seconds}`;
  return minutes < 60n
    ? `${sign}${minutes}m${seconds}`
    : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return fraction === "" ? digits.slice(0, -places) : `${digits.slice(0, -places)}.${fraction}`;
}

/** As Go's %v prints a float. */
export function floatText(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e21)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}
