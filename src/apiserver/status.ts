// The API's refusals, in the exact words clients match on: each is a PortError that carries its Status.
import { type Kind, qualifiedKind, qualifiedPlural } from "../domain/apis/kind.js";
import type { FieldError } from "../domain/apis/meta/fieldError.js";
import { PortError, type PortErrorReason } from "../ports/index.js";

export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** meta/v1 Status: what every refusal looks like on the wire. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string };
  readonly status: "Failure" | "Success";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

const codes: { readonly [reason in PortErrorReason]: number } = {
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Invalid: 422,
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  UnsupportedMediaType: 415,
  Expired: 410,
  TooManyRequests: 429,
  RequestEntityTooLarge: 413,
  ServerTimeout: 500,
  Timeout: 504,
  ServiceUnavailable: 503,
  InternalError: 500,
  Unknown: 500,
};

type Named = Pick<Kind, "group" | "plural">;

export function refusal(reason: PortErrorReason, message: string, details?: StatusDetails): PortError {
  const status: Status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code: codes[reason],
  };
  return new PortError(reason, message, { status });
}

/** The Status of any error: a PortError's own, or one made for it. Our own bugs come out as InternalError. */
export function statusOf(error: unknown): Status {
  if (error instanceof PortError) {
    if (isStatus(error.status)) return error.status;
    const status = refusal(error.reason, error.message).status;
    if (isStatus(status)) return status;
  }
  const text = error instanceof Error ? error.message : String(error);
  return refusal("InternalError", `Internal error occurred: ${text}`).status as Status;
}

export function isStatus(value: unknown): value is Status {
  return typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "Status";
}

function details(kind: Named, name: string, more: StatusDetails = {}): StatusDetails {
  return {
    ...(name === "" ? {} : { name }),
    ...(kind.group === "" ? {} : { group: kind.group }),
    kind: kind.plural,
    ...more,
  };
}

function shownName(name: string): string {
  return name === "" ? "" : ` ${JSON.stringify(name)}`;
}

export function notFound(kind: Named, name: string): PortError {
  return refusal("NotFound", `${qualifiedPlural(kind)}${shownName(name)} not found`, details(kind, name));
}

/** A path that leads nowhere inside a known group. */
export function noSuchResource(): PortError {
  return refusal("NotFound", "the server could not find the requested resource", {});
}

export function methodNotAllowed(): PortError {
  return refusal("MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

export function alreadyExists(kind: Named, name: string): PortError {
  return refusal(
    "AlreadyExists",
    `${qualifiedPlural(kind)}${shownName(name)} already exists`,
    details(kind, name),
  );
}

export const modifiedMeanwhile =
  "the object has been modified; please apply your changes to the latest version and try again";

export function conflict(kind: Named, name: string, why: string = modifiedMeanwhile): PortError {
  return refusal(
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedPlural(kind)}${shownName(name)}: ${why}`,
    details(kind, name),
  );
}

export function forbidden(kind: Named, name: string, why: string, more: StatusDetails = {}): PortError {
  return refusal(
    "Forbidden",
    `${qualifiedPlural(kind)}${shownName(name)} is forbidden: ${why}`,
    details(kind, name, more),
  );
}

/** 422 with one cause per field; `kind` is empty for the complaints about a patch itself. */
export function invalid(
  kind: Pick<Kind, "group" | "kind">,
  name: string,
  errors: readonly FieldError[],
): PortError {
  const texts = errors.map((error) => `${error.field}: ${error.message}`);
  const what = `${qualifiedKind(kind)} ${JSON.stringify(name)}`.trim();
  return refusal(
    "Invalid",
    `${what} is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`}`,
    {
      ...(name === "" ? {} : { name }),
      ...(kind.group === "" ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
    },
  );
}

/** The 422 about a request's own options, such as ListOptions. */
export function invalidOptions(what: string, errors: readonly FieldError[]): PortError {
  return invalid({ group: "meta.k8s.io", kind: what }, "", errors);
}

export function badRequest(message: string): PortError {
  return refusal("BadRequest", message);
}

export function tooLarge(limitBytes: number): PortError {
  return refusal("RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);
}

export function expired(from: number, oldest: number): PortError {
  return refusal("Expired", `too old resource version: ${from} (${oldest})`);
}

/** The Status that says a thing is done, for deletions. */
export function success(kind: Named, name: string, uid: string | undefined): Status {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: details(kind, name, uid === undefined ? {} : { uid }),
  };
}
