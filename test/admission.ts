// One object's way through admission, without a server: what is pruned, filled in, refused and warned of.
import { readServingConfig, type ServingConfig } from "../src/domain/apis/config/index.js";
import type { AdmissionContext, Kind, Resource } from "../src/domain/apis/kind.js";
import { applyDefaults, prune, schemaCompiler, validateSchema } from "../src/domain/apis/schema/index.js";
import { existing } from "./world/index.js";

export interface Admitted<T> {
  readonly object: T;
  /** What `fieldValidation: Strict` would name. */
  readonly unknown: readonly string[];
  /** What the schema says against it; then nobody else is asked. */
  readonly invalid: readonly string[];
  readonly denied: string | undefined;
  readonly warnings: readonly string[];
}

export interface AdmitOptions<T> {
  readonly old?: T;
  readonly config?: ServingConfig;
  readonly user?: string;
  readonly subresource?: "" | "status";
}

const compiler = schemaCompiler();

export const shippedConfig: ServingConfig = readServingConfig(() => undefined);

/** The shipped configuration with some features set otherwise. */
export function withFeatures(features: Partial<ServingConfig["features"]>): ServingConfig {
  return { ...shippedConfig, features: { ...shippedConfig.features, ...features } };
}

export function admitted<T extends Resource>(
  kind: Kind<T>,
  given: object,
  { old, config = shippedConfig, user = "alice", subresource = "" }: AdmitOptions<T> = {},
): Admitted<T> {
  const context: AdmissionContext<T> = {
    operation: old === undefined ? "create" : "update",
    subresource,
    old,
    user: { name: user, groups: [] },
    config: () => config,
  };
  const bare = { ...kind, defaults: undefined, schema: {} } as unknown as Kind<T>;
  const pruned = prune(kind.schema, existing(bare, given as never));
  const filled = applyDefaults(kind.schema, pruned.value, compiler) as T;
  const errors = validateSchema(kind.schema, filled, { compiler });
  const whole = errors.every(
    ({ reason }) => reason !== "FieldValueRequired" && reason !== "FieldValueTypeInvalid",
  );
  const object = whole ? (kind.defaults?.(filled, context) ?? filled) : filled;
  const answer = errors.length === 0 ? kind.webhook?.(object, context) : undefined;
  return {
    object,
    unknown: pruned.unknown,
    invalid: errors.map((error) => `${error.field}: ${error.message}`),
    denied: answer?.denied,
    warnings: answer?.warnings ?? [],
  };
}
