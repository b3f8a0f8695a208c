// Whether a published schema is one at all: upstream reads it into a struct, and everything here trusts its types.
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { isObject, typeOf } from "../schema/value.js";

type Shape =
  | "string"
  | "boolean"
  | "number"
  | "integer"
  | "array"
  | "strings"
  | "node"
  | "nodes"
  | "nodeOrBoolean"
  | "members"
  | "rules";

const shapes: { readonly [member: string]: Shape } = {
  type: "string",
  format: "string",
  title: "string",
  description: "string",
  pattern: "string",
  nullable: "boolean",
  uniqueItems: "boolean",
  exclusiveMinimum: "boolean",
  exclusiveMaximum: "boolean",
  minimum: "number",
  maximum: "number",
  multipleOf: "number",
  minLength: "integer",
  maxLength: "integer",
  minItems: "integer",
  maxItems: "integer",
  minProperties: "integer",
  maxProperties: "integer",
  enum: "array",
  required: "strings",
  items: "node",
  not: "node",
  allOf: "nodes",
  anyOf: "nodes",
  oneOf: "nodes",
  additionalProperties: "nodeOrBoolean",
  properties: "members",
  "x-kubernetes-int-or-string": "boolean",
  "x-kubernetes-preserve-unknown-fields": "boolean",
  "x-kubernetes-embedded-resource": "boolean",
  "x-kubernetes-list-type": "string",
  "x-kubernetes-map-type": "string",
  "x-kubernetes-list-map-keys": "strings",
  "x-kubernetes-validations": "rules",
};

const ruleShapes: { readonly [member: string]: Shape } = {
  rule: "string",
  message: "string",
  messageExpression: "string",
  reason: "string",
  fieldPath: "string",
  optionalOldSelf: "boolean",
};

/** Where a schema holds something of another type than a schema does. */
export function misfitsOf(node: unknown, path: string): readonly FieldError[] {
  return membersMisfit(node, path, shapes);
}

function membersMisfit(
  node: unknown,
  path: string,
  known: { readonly [member: string]: Shape },
): readonly FieldError[] {
  if (!isObject(node)) return [wrong(node, path, "object")];
  return Object.entries(node).flatMap(([name, value]) => {
    const shape = Object.hasOwn(known, name) ? known[name] : undefined;
    return shape === undefined || value === undefined ? [] : misfit(value, `${path}.${name}`, shape);
  });
}

function misfit(value: unknown, path: string, shape: Shape): readonly FieldError[] {
  const type = typeOf(value);
  switch (shape) {
    case "string":
    case "boolean":
    case "integer":
    case "array":
      return type === shape ? [] : [wrong(value, path, shape)];
    case "number":
      return type === "number" || type === "integer" ? [] : [wrong(value, path, shape)];
    case "node":
      return misfitsOf(value, path);
    case "nodeOrBoolean":
      return type === "boolean" ? [] : misfitsOf(value, path);
    case "members":
      if (!isObject(value)) return [wrong(value, path, "object")];
      return Object.entries(value).flatMap(([name, node]) => misfitsOf(node, `${path}[${name}]`));
    case "strings":
      return each(value, path, (item, at) => misfit(item, at, "string"));
    case "nodes":
      return each(value, path, misfitsOf);
    case "rules":
      return each(value, path, (item, at) => [
        ...membersMisfit(item, at, ruleShapes),
        ...(isObject(item) && item["rule"] === undefined ? [fieldErrors.required(`${at}.rule`)] : []),
      ]);
  }
}

function each(
  value: unknown,
  path: string,
  of: (item: unknown, path: string) => readonly FieldError[],
): readonly FieldError[] {
  if (!Array.isArray(value)) return [wrong(value, path, "array")];
  return value.flatMap((item, index) => of(item, `${path}[${index}]`));
}

function wrong(value: unknown, path: string, wanted: string): FieldError {
  const type = typeOf(value);
  return fieldErrors.type(path, type, `${path} in body must be of type ${wanted}: ${JSON.stringify(type)}`);
}
