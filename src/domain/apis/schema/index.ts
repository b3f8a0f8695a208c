export { type SchemaCompiler, schemaCompiler } from "./compiler.js";
export { applyDefaults } from "./defaults.js";
export * from "./dsl.js";
export { prune } from "./prune.js";
export type { Infer, Json, JsonObject, Rule, Schema, SchemaNode, Wire } from "./schema.js";
export { withoutDefaults, withoutWire } from "./transform.js";
export { type ValidateOptions, validateSchema } from "./validate.js";
export { equalJson, goSyntax } from "./value.js";
