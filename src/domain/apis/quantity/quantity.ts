export interface Quantity {
  /** The exact value is `value` / 10^9. */
  readonly nano: bigint;
  readonly family: "decimal" | "binary" | "exponent";
}
export function parseQuantity(_text: string | number): Quantity | undefined {
  throw new Error("not written yet");
}
export function formatQuantity(_quantity: Quantity): string {
  throw new Error("not written yet");
}
export function canonicalQuantity(_text: string | number): string | undefined {
  throw new Error("not written yet");
}
export function compareQuantities(_a: string | number, _b: string | number): number {
  throw new Error("not written yet");
}
export function addQuantities(_a: string | number, _b: string | number): string {
  throw new Error("not written yet");
}
export function asNumber(_text: string | number): number {
  throw new Error("not written yet");
}
export function asMilli(_text: string | number): number {
  throw new Error("not written yet");
}
