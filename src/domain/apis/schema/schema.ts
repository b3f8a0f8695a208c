/**
 * A structural schema in the shape Kubernetes publishes it (OpenAPI v3 plus the x-kubernetes extensions).
 * It is the one source of a kind's TypeScript type, defaults, validation, CRD, OpenAPI and wire numbers.
 */
export interface SchemaNode {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description?: string;
  readonly format?: string;
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-patch-merge-key"?: string;
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-validations"?: readonly Rule[];
  /** Ours, never published: where the field sits in a protobuf body. */
  readonly "x-drydock-wire"?: Wire;
}

declare const typeOnly: unique symbol;

/** A schema that remembers, for the compiler only, the type of the values it describes. */
export interface Schema<T = unknown> extends SchemaNode {
  readonly [typeOnly]?: T;
}

/** A CEL rule of a custom resource (apiextensions.k8s.io/v1 ValidationRule). */
export interface Rule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/**
 * Field numbers from the message down to the value; more than one when the value's message is
 * embedded on the wire but inlined in JSON. `keepZero` marks pointer scalars: 0, false and "" are then values.
 */
export interface Wire {
  readonly at: readonly number[];
  readonly keepZero?: boolean;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

/** A value as JSON carries it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}
