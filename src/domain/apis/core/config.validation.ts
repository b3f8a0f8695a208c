// ConfigMaps and Secrets: keys, size, and what immutable means.
import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { dataKeyProblems } from "../names/index.js";
import { equalJson } from "../schema/index.js";
import { decodedLength } from "./base64.js";
import type { ConfigMap, Secret } from "./config.types.js";

const sizeLimitBytes = 1024 * 1024;
type Data = { readonly [key: string]: string } | undefined;

export function validateConfigMap(
  map: ConfigMap,
  { old }: AdmissionContext<ConfigMap>,
): readonly FieldError[] {
  const { data, binaryData } = map;
  const twice = Object.keys(binaryData ?? {}).filter((key) => data !== undefined && Object.hasOwn(data, key));
  return [
    ...keyErrors("data", data),
    ...keyErrors("binaryData", binaryData),
    ...twice.map((key) => fieldErrors.invalid(`data[${key}]`, key, "duplicate of key present in binaryData")),
    ...sizeErrors(textSize(data) + binarySize(binaryData)),
    ...immutableErrors(map, old, ["data", "binaryData"]),
  ];
}

/** What a type promises its readers. */
const promised: { readonly [type: string]: readonly string[] } = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

export function validateSecret(secret: Secret, { old }: AdmissionContext<Secret>): readonly FieldError[] {
  const { data, type = "Opaque" } = secret;
  const wanted = Object.hasOwn(promised, type) ? (promised[type] ?? []) : [];
  const missing = wanted.filter((key) => data?.[key] === undefined);
  return [
    ...keyErrors("data", data),
    ...sizeErrors(binarySize(data)),
    ...missing.map((key) => fieldErrors.required(`data[${key}]`)),
    ...(old !== undefined && old.type !== type
      ? [fieldErrors.invalid("type", type, "field is immutable")]
      : []),
    ...immutableErrors(secret, old, ["data"]),
  ];
}

function keyErrors(field: string, data: Data): readonly FieldError[] {
  return Object.keys(data ?? {}).flatMap((key) =>
    dataKeyProblems(key).map((problem) => fieldErrors.invalid(`${field}[${key}]`, key, problem)),
  );
}

function textSize(data: Data): number {
  return Object.values(data ?? {}).reduce((sum, text) => sum + text.length, 0);
}

function binarySize(data: Data): number {
  return Object.values(data ?? {}).reduce((sum, base64) => sum + decodedLength(base64), 0);
}

function sizeErrors(size: number): readonly FieldError[] {
  return size > sizeLimitBytes ? [fieldErrors.tooLong("", sizeLimitBytes)] : [];
}

function immutableErrors<T extends { readonly immutable?: boolean | undefined }>(
  now: T,
  old: T | undefined,
  fields: readonly (keyof T & string)[],
): readonly FieldError[] {
  if (old?.immutable !== true) return [];
  const detail = "field is immutable when `immutable` is set";
  const changed = fields.filter((field) => !equalJson(now[field] ?? {}, old[field] ?? {}));
  const freed = now.immutable === true ? [] : ["immutable"];
  return [...freed, ...changed].map((field) => fieldErrors.forbidden(field, detail));
}
