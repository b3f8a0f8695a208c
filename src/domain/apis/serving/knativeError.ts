/**
 * What Knative's webhook found wrong: a message, the fields it is about, and perhaps a detail. Leaves name the fault,
 * each parent puts its own part before the paths (`under`), and the end result reads as upstream's does
 * (knative-serving.md, section 1.6).
 */
import type { WebhookAnswer } from "../kind.js";

export interface KnativeError {
  readonly message: string;
  readonly paths: readonly string[];
  readonly details: string;
  /** Warnings never deny. */
  readonly level: "error" | "warning";
}

export type KnativeErrors = readonly KnativeError[];

/** An error in so many words. Without a path it stays without one, whatever it is put under. */
export function fault(message: string, paths: readonly string[] = [], details = ""): KnativeErrors {
  return [{ message, paths, details, level: "error" }];
}

export function missing(...paths: readonly string[]): KnativeErrors {
  return fault("missing field(s)", paths);
}

export function disallowed(...paths: readonly string[]): KnativeErrors {
  return paths.length === 0 ? [] : fault("must not set the field(s)", paths);
}

export function invalidValue(value: string | number, path: string, details = ""): KnativeErrors {
  return fault(`invalid value: ${value}`, [path], details);
}

export function invalidKey(key: string, path: string, details = ""): KnativeErrors {
  return fault(`invalid key name ${JSON.stringify(key)}`, [path], details);
}

export function missingOneOf(...paths: readonly string[]): KnativeErrors {
  return fault("expected exactly one, got neither", paths);
}

export function multipleOneOf(...paths: readonly string[]): KnativeErrors {
  return fault("expected exactly one, got both", paths);
}

type Bound = string | number;

export function outOfBounds(value: Bound, low: Bound, high: Bound, path: string): KnativeErrors {
  return fault(`expected ${low} <= ${value} <= ${high}`, [path]);
}

export function asWarnings(errors: KnativeErrors): KnativeErrors {
  return errors.map((error) => ({ ...error, level: "warning" }));
}

/** Errors as the parent sees them: `under(["containers", 0], missing("image"))` is about containers[0].image. */
export function under(
  prefix: string | number | readonly (string | number)[],
  errors: KnativeErrors,
): KnativeErrors {
  if (errors.length === 0) return errors;
  const parts = (typeof prefix === "object" ? prefix : [prefix]).map(part);
  return errors.map((error) => ({ ...error, paths: error.paths.map((path) => joined([...parts, path])) }));
}

function part(one: string | number): string {
  return typeof one === "number" ? `[${one}]` : one;
}

/** A map's key as a part of a path. */
export function keyPart(key: string): string {
  return `[${key}]`;
}

// Parts are cut at dots first, as upstream does, so a key with dots in it does not attach to what it is a key of.
function joined(parts: readonly string[]): string {
  let path = "";
  for (const piece of parts.flatMap((one) => one.split("."))) {
    if (piece === "") continue;
    const attaches = piece.startsWith("[") && piece.endsWith("]");
    path += path === "" || attaches ? piece : `.${piece}`;
  }
  return path;
}

/** One line for each different thing said, with every path it is said of. */
export function lines(errors: KnativeErrors): readonly string[] {
  const merged = new Map<string, { readonly error: KnativeError; readonly paths: Set<string> }>();
  for (const error of errors) {
    const key = JSON.stringify([error.message, error.details]);
    const seen = merged.get(key);
    if (seen === undefined) merged.set(key, { error, paths: new Set(error.paths) });
    else for (const path of error.paths) seen.paths.add(path);
  }
  return [...merged.values()]
    .sort((a, b) => order(a.error.message, b.error.message) || order(a.error.details, b.error.details))
    .map(({ error: { message, details }, paths }) => {
      const line = `${message}: ${[...paths].sort(order).join(", ")}`;
      return details === "" ? line : `${line}\n${details}`;
    });
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export const knativeWebhook = "validation.webhook.serving.knative.dev";

/** What the validating webhook of Knative Serving answers to this. */
export function webhookAnswer(errors: KnativeErrors): WebhookAnswer | undefined {
  if (errors.length === 0) return undefined;
  const denied = lines(errors.filter((error) => error.level === "error"));
  const warnings = lines(errors.filter((error) => error.level === "warning"));
  return {
    webhook: knativeWebhook,
    ...(denied.length === 0 ? {} : { denied: `validation failed: ${denied.join("\n")}` }),
    // A warning travels in a header, which has no second line.
    ...(warnings.length === 0 ? {} : { warnings: warnings.map((line) => line.replaceAll("\n", " ")) }),
  };
}

/** What of an object is set, as Go sees it: nothing, zero, "" and false are all the same absence there. */
export function setFields(object: object, pointers: ReadonlySet<string> = none): readonly string[] {
  return Object.entries(object)
    .filter(([name, value]) => (pointers.has(name) ? value !== undefined && value !== null : Boolean(value)))
    .map(([name]) => name);
}

const none: ReadonlySet<string> = new Set();

/** The fields that are set and may not be. */
export function disallowedFields(
  object: object,
  allowed: ReadonlySet<string>,
  pointers?: ReadonlySet<string>,
): KnativeErrors {
  return disallowed(...setFields(object, pointers).filter((name) => !allowed.has(name)));
}
