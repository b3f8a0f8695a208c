// What every object passes before it is stored: unknown fields out, defaults in, then the rules.
import type { AdmissionContext, Kind, Resource, WebhookAnswer } from "../../domain/apis/kind.js";
import type { FieldError } from "../../domain/apis/meta/fieldError.js";
import { validateObjectMeta } from "../../domain/apis/names/index.js";
import { applyDefaults, prune, type SchemaCompiler, validateSchema } from "../../domain/apis/schema/index.js";
import { isRefusal } from "../../ports/index.js";
import { badRequest, invalid } from "../status.js";
import type { WriteContext } from "./context.js";

type Bag = { readonly [name: string]: unknown };

/** The object as it may be stored; throws the API's refusal when it may not. */
export function admit(
  kind: Kind,
  object: Resource,
  context: AdmissionContext<Resource>,
  write: WriteContext,
  compiler: SchemaCompiler,
  webhooks: Webhooks,
): Resource {
  // Of metadata every kind has the same schema; much of it is the server's own and only handed on.
  const passed = context.old === undefined ? undefined : { metadata: context.old.metadata };
  const pruned = prune(kind.schema, object, passed);
  judgeUnknown(kind, pruned.unknown, write);
  const options = { compiler, ...(context.old === undefined ? {} : { old: context.old, passed }) };
  const filled = applyDefaults(kind.schema, pruned.value, compiler) as Resource;
  const found = validateSchema(kind.schema, filled, options);
  refuseWrongTypes(kind, found, admittedName(filled));

  // A kind's own defaults and rules trust its type: what lacks a required part never reaches them.
  const whole = isWhole(found);
  const admitted = whole ? (kind.defaults?.(filled, context) ?? filled) : filled;
  const errors = [
    ...validateObjectMeta(kind, admitted, context.old),
    ...(admitted === filled ? found : validateSchema(kind.schema, admitted, options)),
    ...(whole ? (kind.validate?.(admitted, context) ?? []) : []),
  ];
  if (errors.length > 0) throw invalid(kind, admitted.metadata.name, errors);
  askWebhook(kind, admitted, context, write, webhooks);
  return admitted;
}

/** What a webhook's answer may ask of the rest of the registry. */
export interface Webhooks {
  /** Its namespace is exempt from them. */
  readonly exempt: () => boolean;
  /** Throws what creating such a pod would throw. */
  readonly tryPod: (pod: NonNullable<WebhookAnswer["pod"]>) => void;
}

function askWebhook(
  kind: Kind,
  object: Resource,
  context: AdmissionContext<Resource>,
  write: WriteContext,
  { exempt, tryPod }: Webhooks,
): void {
  const answer = kind.webhook === undefined || exempt() ? undefined : kind.webhook(object, context);
  if (answer === undefined) return;
  for (const warning of answer.warnings ?? []) write.warn(warning);
  const deny = (because: string) =>
    badRequest(`admission webhook ${JSON.stringify(answer.webhook)} denied the request: ${because}`);
  if (answer.denied !== undefined) throw deny(answer.denied);
  if (!write.dryRun || answer.pod === undefined) return;
  try {
    tryPod(answer.pod);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw deny(`validation callback failed: dry run failed with ${error.message}: spec.template`);
  }
}

/** A status write leaves everything else as it was admitted before, so only the status is looked at. */
export function admitStatus(
  kind: Kind,
  object: Resource,
  context: AdmissionContext<Resource>,
  write: WriteContext,
  compiler: SchemaCompiler,
  webhooks: Webhooks,
): Resource {
  const schema = kind.schema.properties?.["status"];
  if (schema === undefined) return admit(kind, object, context, write, compiler, webhooks);
  const { status, ...rest } = object as Resource & { readonly status?: unknown };
  const pruned = status === undefined ? { value: undefined, unknown: [] } : prune(schema, status);
  judgeUnknown(
    kind,
    pruned.unknown.map((field) => `status.${field}`),
    write,
  );
  const value = pruned.value === undefined ? undefined : applyDefaults(schema, pruned.value, compiler);
  const filled = (value === undefined ? rest : { ...rest, status: value }) as Resource;
  const old = (context.old as Bag | undefined)?.["status"];
  const options = { path: "status", compiler, ...(old === undefined ? {} : { old }) };
  const found = value === undefined ? [] : validateSchema(schema, value, options);
  const whole = isWhole(found);
  const admitted = whole ? (kind.defaults?.(filled, context) ?? filled) : filled;
  const errors = [...found, ...(whole ? (kind.validate?.(admitted, context) ?? []) : [])];
  if (errors.length > 0) throw invalid(kind, admitted.metadata.name, errors);
  return admitted;
}

function isWhole(found: readonly FieldError[]): boolean {
  return found.every((error) => error.reason !== "FieldValueRequired");
}

function judgeUnknown(kind: Kind, unknown: readonly string[], write: WriteContext): void {
  if (write.fieldValidation === "Ignore") return;
  const complaints = [
    ...unknown.map((field) => `unknown field ${JSON.stringify(field)}`),
    ...write.duplicateFields.map((field) => `duplicate field ${JSON.stringify(field)}`),
  ];
  if (complaints.length === 0) return;
  if (write.fieldValidation === "Warn") {
    for (const complaint of complaints) write.warn(complaint);
    return;
  }
  throw badRequest(
    `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: strict decoding error: ${complaints.join(", ")}`,
  );
}

/**
 * The real server decodes built-in kinds, and everyone's metadata, into Go structs before it validates:
 * a value of the wrong type is then a malformed request (400), not an invalid object (422).
 * Our own defaults run after this, so they may trust the types.
 */
function refuseWrongTypes(kind: Kind, errors: readonly FieldError[], name: string): void {
  const wrong = errors.filter(
    (error) => error.reason === "FieldValueTypeInvalid" && wrongType.test(error.message),
  );
  const decoded = wrong.find((error) => kind.flavour === "builtin" || error.field.startsWith("metadata"));
  if (decoded === undefined) {
    if (wrong.length > 0) throw invalid(kind, name, errors);
    return;
  }
  const [, wanted = "", got = ""] = wrongType.exec(decoded.message) ?? [];
  throw badRequest(
    `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: json: cannot unmarshal ${goKind(got)} into Go struct field ${goField(kind, decoded.field)} of type ${goType(wanted)}`,
  );
}

const wrongType = /must be of type ([a-z,-]+): "([a-z]+)"/;

function goField(kind: Kind, field: string): string {
  const path = field.replace(/\[\d+\]/g, "").split(".");
  return path[0] === "metadata"
    ? `ObjectMeta.${path[1] ?? ""}`
    : `${kind.kind}.${path.slice(0, 1).join(".")}`;
}

function admittedName(object: Resource): string {
  const name: unknown = object.metadata?.name;
  return typeof name === "string" ? name : "";
}

function goKind(jsonType: string): string {
  return jsonType === "integer" ? "number" : jsonType === "boolean" ? "bool" : jsonType;
}

function goType(schemaType: string): string {
  switch (schemaType) {
    case "integer":
      return "int64";
    case "number":
      return "float64";
    case "boolean":
      return "bool";
    case "object":
      return "map[string]string";
    default:
      return schemaType;
  }
}
