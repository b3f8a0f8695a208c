// Resource quantities: 100m, 1.5Gi, 2e3. Exact, since a comparison of memory must not hang on a rounding.

export type Family = "decimal" | "binary" | "exponent";

export interface Quantity {
  /** The value in billionths: nothing smaller is kept. */
  readonly nano: bigint;
  /** How it was written, and so how it is written again. */
  readonly family: Family;
}

export const quantityRule =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTPE]*[-+]?[0-9]*)$'";

const shape = /^([+-]?)(\d*)(?:\.(\d*))?(?:(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?\d{1,3}))?$/;
const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const one = 1_000_000_000n;
const zero: Quantity = { nano: 0n, family: "decimal" };

/** undefined for text that is no quantity. */
export function parseQuantity(text: string | number): Quantity | undefined {
  const match = shape.exec(String(text).trim());
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", suffix = "", exponent] = match;
  if (whole === "" && fraction === "") return undefined;
  const digits = BigInt(whole + fraction);
  const binary = suffix.endsWith("i");
  const multiplied = binary ? digits * 1024n ** BigInt(binarySuffixes.indexOf(suffix)) : digits;
  const power = binary
    ? 0
    : exponent === undefined
      ? (decimalSuffixes.indexOf(suffix) - 3) * 3
      : Number(exponent);
  const nano = scaled(multiplied, power + 9 - fraction.length);
  return {
    nano: sign === "-" ? -nano : nano,
    family: binary ? "binary" : exponent === undefined ? "decimal" : "exponent",
  };
}

/** Times ten to a power; what does not fit is rounded up, away from zero, for a request must never shrink. */
function scaled(value: bigint, power: number): bigint {
  return power >= 0 ? value * 10n ** BigInt(power) : roundedUp(value, 10n ** BigInt(-power));
}

function roundedUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value > 0n ? quotient + 1n : quotient - 1n;
}

/** The canonical spelling: the largest suffix that needs no fraction. */
export function formatQuantity({ nano, family }: Quantity): string {
  if (nano === 0n) return "0";
  if (family === "binary" && (nano >= 1024n * one || nano <= -1024n * one))
    return binaryText(roundedUp(nano, one));
  const { mantissa, thousands } = reduced(nano);
  if (family !== "exponent") return `${mantissa}${decimalSuffixes[thousands] ?? ""}`;
  return thousands === 3 ? `${mantissa}` : `${mantissa}e${(thousands - 3) * 3}`;
}

function reduced(nano: bigint): { readonly mantissa: bigint; readonly thousands: number } {
  let mantissa = nano;
  let thousands = 0;
  while (mantissa % 1000n === 0n && thousands < decimalSuffixes.length - 1) {
    mantissa /= 1000n;
    thousands++;
  }
  return { mantissa, thousands };
}

function binaryText(value: bigint): string {
  let mantissa = value;
  let power = 0;
  while (mantissa % 1024n === 0n && power < binarySuffixes.length - 1) {
    mantissa /= 1024n;
    power++;
  }
  return `${mantissa}${binarySuffixes[power] ?? ""}`;
}

/** As built-in kinds store it: canonical, nothing below a thousandth. undefined for text that is no quantity. */
export function canonicalQuantity(text: string | number): string | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  const canonical = formatQuantity({ ...quantity, nano: roundedUp(quantity.nano, 1_000_000n) * 1_000_000n });
  // The one spelling upstream leaves alone is a plus sign on what is canonical already.
  return String(text) === `+${canonical}` ? `+${canonical}` : canonical;
}

/** Below zero when a is less than b. What is no quantity counts as zero. */
export function compareQuantities(a: string | number, b: string | number): number {
  const [left, right] = [(parseQuantity(a) ?? zero).nano, (parseQuantity(b) ?? zero).nano];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum, written like the first unless that is zero. What is no quantity counts as zero. */
export function addQuantities(a: string | number, b: string | number): string {
  const [left, right] = [parseQuantity(a) ?? zero, parseQuantity(b) ?? zero];
  const family = left.nano === 0n ? right.family : left.family;
  return formatQuantity({ nano: left.nano + right.nano, family });
}

export function asNumber(text: string | number): number {
  const { nano } = parseQuantity(text) ?? zero;
  return Number(nano / one) + Number(nano % one) / 1e9;
}

/** Thousandths, rounded up. */
export function asMilli(text: string | number): number {
  return Number(roundedUp((parseQuantity(text) ?? zero).nano, 1_000_000n));
}
