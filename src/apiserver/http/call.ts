// One request, from its arrival to its answer, and the house it was made to.
import type { IncomingMessage, ServerResponse } from "node:http";
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import type { Clock, Log, PodRuntime, Random } from "../../ports/index.js";
import type { Authorizer } from "../auth/authorize.js";
import type { Tokens } from "../auth/tokens.js";
import type { Registry, Served, User, WriteContext } from "../registry/index.js";
import { invalidOptions, refusal } from "../status.js";
import { type Accepted, acceptedTypes, negotiate } from "./accept.js";
import type { Meter } from "./meter.js";

export interface House {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly podRuntime: PodRuntime | undefined;
  readonly tokens: Tokens;
  readonly authorizer: Authorizer;
  readonly meter: Meter;
  /** Lines for /metrics from whoever works beside this server. */
  readonly figures: () => Promise<readonly string[]>;
}

export interface Call {
  readonly house: House;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly user: User;
  /** Told in Warning headers with the answer. */
  readonly warnings: string[];
}

const objectShapes = ["Table", "PartialObjectMetadata", "PartialObjectMetadataList"];

export function acceptedBy(call: Call, served: Served): Accepted {
  const custom = served.kind.flavour === "custom";
  const accepted = negotiate(call.request.headers.accept, { custom, shaped: objectShapes });
  if (accepted !== undefined) return accepted;
  throw refusal("NotAcceptable", `only the following media types are accepted: ${acceptedTypes}`, {});
}

export function writeContextOf(
  call: Call,
  options: "CreateOptions" | "UpdateOptions" | "PatchOptions",
): WriteContext {
  const { query, request, user, warnings } = call;
  const fieldValidation = query.get("fieldValidation") || "Warn";
  if (fieldValidation !== "Strict" && fieldValidation !== "Warn" && fieldValidation !== "Ignore") {
    throw invalidOptions(options, [
      fieldErrors.notSupported("fieldValidation", fieldValidation, ["Ignore", "Strict", "Warn"]),
    ]);
  }
  const agent = (request.headers["user-agent"] ?? "unknown").split("/")[0] as string;
  return {
    user,
    manager:
      query.get("fieldManager") ||
      (options === "PatchOptions" && isApply(request) ? "" : agent.slice(0, 128)),
    dryRun: isDryRun(query.getAll("dryRun"), options),
    fieldValidation,
    duplicateFields: [],
    warn: (text) => warnings.push(text),
  };
}

export function isDryRun(values: readonly string[], options: string): boolean {
  const given = values.filter((value) => value !== "");
  const odd = given.find((value) => value !== "All");
  if (odd !== undefined) throw invalidOptions(options, [fieldErrors.notSupported("dryRun", odd, ["All"])]);
  return given.length > 0;
}

export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

function isApply(request: IncomingMessage): boolean {
  return mediaTypeOf(request) === "application/apply-patch+yaml";
}

/** Says once per answer that the version is on its way out. */
export function warnOfDeprecation(call: Call, served: Served): void {
  if (served.deprecation !== undefined) call.warnings.push(served.deprecation);
}
