// A VirtualService as whoever obeys it reads it: checked, with expressions compiled and durations in milliseconds.
import type { Regex } from "../regex/index.js";
import type { HttpRoute, VirtualServiceInput } from "./virtualService.types.js";

export type StringMatch =
  | { readonly kind: "exact" | "prefix"; readonly value: string; readonly ignoreCase: boolean }
  /** A well-known expression that stands for a few names: one look-up instead of a match. */
  | { readonly kind: "oneOf"; readonly values: ReadonlySet<string>; readonly source: string }
  | { readonly kind: "regex"; readonly regex: Regex };

/** A value without a match must merely be there. */
export interface NamedMatch {
  readonly name: string;
  readonly match: StringMatch | undefined;
}

export interface ParsedMatch {
  readonly gateways: readonly string[];
  readonly authority: StringMatch | undefined;
  readonly uri: StringMatch | undefined;
  readonly method: StringMatch | undefined;
  readonly scheme: StringMatch | undefined;
  readonly port: number | undefined;
  readonly headers: readonly NamedMatch[];
  readonly withoutHeaders: readonly NamedMatch[];
  readonly queryParams: readonly NamedMatch[];
}

export interface HeaderOperations {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  /** In lower case. */
  readonly remove: readonly string[];
}

export type Rewrite =
  | { readonly kind: "prefix"; readonly from: string; readonly ignoreCase: boolean; readonly to: string }
  | { readonly kind: "whole"; readonly to: string }
  | { readonly kind: "regex"; readonly replace: (path: string) => string };

export interface Redirect {
  readonly kind: "redirect";
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  /** A number, the port the request came for, or that of the new scheme. */
  readonly port: number | "fromRequest" | "fromScheme" | undefined;
  readonly uri: string | undefined;
  readonly code: number;
}

export interface DirectResponse {
  readonly kind: "direct";
  readonly status: number;
  readonly body: string;
  /** How the body is to be read: as it is, or as base64. */
  readonly encoding: "utf8" | "base64";
}

export interface RetryPolicy {
  /** After the first; none turns off what an outer route asks for. */
  readonly attempts: number;
  readonly perTryMs: number | undefined;
  /** The first wait is at most this, each later one twice as long, up to ten times this; undefined is the gateway's own. */
  readonly backoffMs: number | undefined;
  readonly serverErrors: "none" | "gateway" | "all";
  readonly statuses: ReadonlySet<number>;
  readonly grpcStatuses: ReadonlySet<number>;
  /** What never reached a pod. */
  readonly unsent: boolean;
  /** What a pod may have begun to work on. */
  readonly reset: boolean;
}

/** Shares of all requests, from 0 to 1. */
export interface Fault {
  readonly delay: { readonly share: number; readonly ms: number } | undefined;
  readonly abort:
    | { readonly share: number; readonly status: number; readonly grpcStatus: number | undefined }
    | undefined;
}

export interface CorsPolicy {
  readonly origins: readonly StringMatch[];
  readonly methods: string;
  readonly headers: string;
  readonly expose: string;
  readonly maxAgeSeconds: number | undefined;
  readonly credentials: boolean;
  /** Preflights of other origins go to the pod. */
  readonly forwardUnmatched: boolean;
}

export interface ParsedDestination {
  readonly host: string;
  readonly port: number | undefined;
}

export interface ParsedMirror {
  readonly destination: ParsedDestination;
  readonly share: number;
}

export interface ParsedArm extends ParsedDestination {
  readonly weight: number;
  readonly request: HeaderOperations;
  readonly response: HeaderOperations;
}

export interface ParsedRule {
  /** Where it stands, such as `spec.http[0]`. */
  readonly at: string;
  readonly matches: readonly ParsedMatch[];
  readonly request: HeaderOperations;
  readonly response: HeaderOperations;
  readonly rewrite: Rewrite | undefined;
  readonly authority: string | undefined;
  readonly then:
    | Redirect
    | DirectResponse
    | { readonly kind: "route"; readonly arms: readonly ParsedArm[] }
    /** `NAMESPACE/NAME` of the VirtualService whose rules stand here. */
    | { readonly kind: "delegate"; readonly to: string };
  readonly timeoutMs: number | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly fault: Fault | undefined;
  readonly mirrors: readonly ParsedMirror[];
  readonly cors: CorsPolicy | undefined;
  readonly source: HttpRoute;
}

/** One VirtualService, checked and kept: if its next version does not parse, this one goes on serving. */
export interface Parsed {
  readonly key: string;
  readonly source: VirtualServiceInput;
  readonly namespace: string;
  readonly createdAt: string;
  /** None: other VirtualServices delegate to it. */
  readonly hosts: readonly string[];
  /** `mesh`, or `NAMESPACE/NAME`. */
  readonly gateways: readonly string[];
  readonly rules: readonly ParsedRule[];
  /** Its author says that POSTs and the like may be repeated. */
  readonly repeatsAnything: boolean;
}

export interface RouteFault {
  readonly reason: "InvalidField" | "UnsupportedField";
  /** Dotted, with [i] for list items: spec.http[0].match[1].uri.regex */
  readonly path: string;
  readonly what: string;
}

export type ParseResult =
  | { readonly outcome: "parsed"; readonly parsed: Parsed }
  | { readonly outcome: "rejected"; readonly faults: readonly RouteFault[] };
