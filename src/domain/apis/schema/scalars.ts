// What a schema may ask of a string or a number.
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { SchemaCompiler } from "./compiler.js";
import { formats } from "./formats.js";
import type { SchemaNode } from "./schema.js";

/** Only the first of length and pattern is reported: the rest is noise until that is right. */
export function stringProblems(
  compiler: SchemaCompiler,
  node: SchemaNode,
  text: string,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const length = lengthProblem(node, text, path);
  if (length !== undefined) errors.push(length);
  else if (node.pattern !== undefined && compiler.pattern(node.pattern)?.test(text) === false) {
    errors.push(fieldErrors.invalid(path, text, `${path} in body should match '${node.pattern}'`));
  }
  if (node.format !== undefined && formats.get(node.format)?.(text) === false) {
    const detail = `${path} in body must be of type ${node.format}: ${JSON.stringify(text)}`;
    errors.push(fieldErrors.type(path, text, detail));
  }
  return errors;
}

function lengthProblem(node: SchemaNode, text: string, path: string): FieldError | undefined {
  if (node.maxLength === undefined && node.minLength === undefined) return undefined;
  const length = [...text].length;
  if (node.maxLength !== undefined && length > node.maxLength)
    return fieldErrors.tooLong(path, node.maxLength);
  if (node.minLength !== undefined && length < node.minLength) {
    return fieldErrors.invalid(path, text, `${path} in body should be at least ${node.minLength} chars long`);
  }
  return undefined;
}

export function numberProblems(node: SchemaNode, value: number, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const say = (what: string) =>
    errors.push(fieldErrors.invalid(path, value, `${path} in body should be ${what}`));
  const { maximum, minimum, multipleOf } = node;
  if (maximum !== undefined) {
    if (node.exclusiveMaximum === true && value >= maximum) say(`less than ${maximum}`);
    else if (value > maximum) say(`less than or equal to ${maximum}`);
  }
  if (minimum !== undefined) {
    if (node.exclusiveMinimum === true && value <= minimum) say(`greater than ${minimum}`);
    else if (value < minimum) say(`greater than or equal to ${minimum}`);
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) say(`a multiple of ${multipleOf}`);
  return errors;
}
