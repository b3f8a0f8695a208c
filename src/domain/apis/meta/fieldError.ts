// What admission found wrong with one field, in the API server's own categories.

/** The cause reasons of a Status 422 (kubernetes-api.md, section 11). */
export type FieldErrorReason =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueTypeInvalid"
  | "FieldValueNotSupported"
  | "FieldValueDuplicate"
  | "FieldValueForbidden"
  | "FieldValueNotFound"
  | "FieldValueTooLong"
  | "FieldValueTooMany";

export interface FieldError {
  readonly reason: FieldErrorReason;
  /** Dotted, with [i] for list items: spec.containers[0].image */
  readonly field: string;
  /** The cause's whole text, such as `Invalid value: 5: must be less than 4`. */
  readonly message: string;
}

export const fieldErrors = {
  required: (field: string, detail?: string): FieldError => ({
    reason: "FieldValueRequired",
    field,
    message: detail === undefined ? "Required value" : `Required value: ${detail}`,
  }),
  invalid: (field: string, value: unknown, detail: string): FieldError => ({
    reason: "FieldValueInvalid",
    field,
    message: `Invalid value: ${shown(value)}: ${detail}`,
  }),
  type: (field: string, value: unknown, detail: string): FieldError => ({
    reason: "FieldValueTypeInvalid",
    field,
    message: `Invalid value: ${shown(value)}: ${detail}`,
  }),
  notSupported: (field: string, value: unknown, supported: readonly string[]): FieldError => ({
    reason: "FieldValueNotSupported",
    field,
    message: `Unsupported value: ${shown(value)}: supported values: ${supported.map((one) => JSON.stringify(one)).join(", ")}`,
  }),
  duplicate: (field: string, value: unknown): FieldError => ({
    reason: "FieldValueDuplicate",
    field,
    message: `Duplicate value: ${shown(value)}`,
  }),
  forbidden: (field: string, detail: string): FieldError => ({
    reason: "FieldValueForbidden",
    field,
    message: `Forbidden: ${detail}`,
  }),
  notFound: (field: string, value: unknown): FieldError => ({
    reason: "FieldValueNotFound",
    field,
    message: `Not found: ${shown(value)}`,
  }),
  tooLong: (field: string, maxBytes: number): FieldError => ({
    reason: "FieldValueTooLong",
    field,
    message: `Too long: may not be more than ${maxBytes} bytes`,
  }),
  tooMany: (field: string, count: number, max: number): FieldError => ({
    reason: "FieldValueTooMany",
    field,
    message: `Too many: ${count}: must have at most ${max} items`,
  }),
};

// Objects are named by their type only: a whole manifest inside an error helps nobody.
function shown(value: unknown): string {
  if (Array.isArray(value)) return '"array"';
  if (value !== null && typeof value === "object") return '"object"';
  return JSON.stringify(value) ?? "null";
}
