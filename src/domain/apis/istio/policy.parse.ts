// What a rule adds to sending a request on: tries again, faults on purpose, copies, and who may ask from where.
import { headerName } from "./headers.parse.js";
import { readString } from "./match.parse.js";
import { durationMs, hostOf, invalid, only, portOf, unsupported } from "./reading.js";
import type { CorsPolicy, Fault, ParsedDestination, ParsedMirror, RetryPolicy } from "./routing.types.js";
import type { HttpRoute } from "./virtualService.types.js";

type Part<K extends keyof HttpRoute> = NonNullable<HttpRoute[K]>;

/** What Istio tries again on when nothing is said. */
const usualRetryOn = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/** Each is a whole request more for a pod that is in trouble already. */
const attemptsLimit = 25;

const grpcStatuses: { readonly [name: string]: number } = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

/** What a client that does not speak gRPC is told instead. */
const httpStatusOf: { readonly [code: number]: number } = {
  0: 200,
  1: 499,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  14: 503,
  16: 401,
};

const grpcConditions = new Set([
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
]);

/** Envoy knows them, and nothing that answers here ever meets them. */
const neverMet = new Set(["envoy-ratelimited", "retriable-headers", "http3-post-connect-failure"]);

export function readRetries(retries: Part<"retries">, path: string): RetryPolicy {
  const { attempts = 2, perTryTimeout, retryOn, backoff } = retries;
  if (attempts < 0 || attempts > attemptsLimit)
    throw invalid(`${path}.attempts`, `${attempts} is not between 0 and ${attemptsLimit}`);
  const backoffMs = backoff === undefined ? undefined : durationMs(backoff, `${path}.backoff`);
  const perTryMs = perTryTimeout === undefined ? 0 : durationMs(perTryTimeout, `${path}.perTryTimeout`);
  const statuses = new Set<number>();
  const grpc = new Set<number>();
  let serverErrors: RetryPolicy["serverErrors"] = "none";
  let unsent = false;
  let reset = false;
  for (const word of (retryOn || usualRetryOn).split(",").map((one) => one.trim())) {
    switch (word) {
      case "":
        break;
      case "5xx":
        serverErrors = "all";
        unsent = true;
        reset = true;
        break;
      case "gateway-error":
        if (serverErrors === "none") serverErrors = "gateway";
        break;
      case "reset":
        unsent = true;
        reset = true;
        break;
      case "connect-failure":
      case "refused-stream":
      case "reset-before-request":
        unsent = true;
        break;
      case "retriable-4xx":
        statuses.add(409);
        break;
      case "retriable-status-codes":
        statuses.add(503);
        break;
      default:
        if (grpcConditions.has(word)) grpc.add(grpcStatuses[word.toUpperCase().replace("-", "_")] as number);
        else if (/^[1-5]\d\d$/.test(word)) statuses.add(Number(word));
        else if (!neverMet.has(word))
          throw invalid(`${path}.retryOn`, `${JSON.stringify(word)} is not a reason to try again`);
    }
  }
  const perTry = perTryMs === 0 ? undefined : perTryMs;
  return { attempts, perTryMs: perTry, backoffMs, serverErrors, statuses, grpcStatuses: grpc, unsent, reset };
}

export function readFault(fault: Part<"fault">, path: string): Fault {
  const { delay, abort } = fault;
  if (delay?.exponentialDelay !== undefined)
    throw unsupported(`${path}.delay.exponentialDelay`, "Istio does not obey it either");
  if (abort?.http2Error !== undefined)
    throw unsupported(`${path}.abort.http2Error`, "use httpStatus or grpcStatus");
  return {
    delay: delay && {
      share: shareOf(delay.percentage?.value ?? delay.percent ?? 0, `${path}.delay.percentage`),
      ms: durationMs(delay.fixedDelay ?? "", `${path}.delay.fixedDelay`),
    },
    abort: abort && {
      share: shareOf(abort.percentage?.value ?? 0, `${path}.abort.percentage`),
      ...readAbort(abort, `${path}.abort`),
    },
  };
}

function readAbort({ httpStatus, grpcStatus }: NonNullable<Part<"fault">["abort"]>, path: string) {
  if ((httpStatus === undefined) === (grpcStatus === undefined))
    throw invalid(path, "one of httpStatus and grpcStatus says what the abort is");
  if (grpcStatus === undefined)
    return { status: statusOf(httpStatus, `${path}.httpStatus`), grpcStatus: undefined };
  const code = /^\d+$/.test(grpcStatus) ? Number(grpcStatus) : grpcStatuses[grpcStatus];
  if (code === undefined || code > 16)
    throw invalid(`${path}.grpcStatus`, `${JSON.stringify(grpcStatus)} is not a gRPC status`);
  return { status: httpStatusOf[code] ?? 500, grpcStatus: code };
}

export function statusOf(status: number | undefined, path: string): number {
  if (status === undefined || status < 200 || status > 599)
    throw invalid(path, `${status ?? "nothing"} is not a status between 200 and 599`);
  return status;
}

function shareOf(percent: number, path: string): number {
  if (!(percent >= 0 && percent <= 100)) throw invalid(path, `${percent} is not between 0 and 100`);
  return percent / 100;
}

export function readDestination(
  destination: NonNullable<HttpRoute["mirror"]> | undefined,
  path: string,
): ParsedDestination {
  const host = destination?.host;
  if (host === undefined || host === "") throw invalid(`${path}.host`, "a destination needs a host");
  if (destination?.subset)
    throw unsupported(`${path}.subset`, "there are no DestinationRules here: name the Service of the subset");
  return {
    host: hostOf(host, `${path}.host`),
    port: portOf(destination?.port?.number || undefined, `${path}.port.number`),
  };
}

export function readMirrors(rule: HttpRoute, path: string): readonly ParsedMirror[] {
  const { mirror, mirrors, mirrorPercentage, mirrorPercent } = rule;
  if (mirror !== undefined && mirrors !== undefined)
    throw invalid(`${path}.mirrors`, "mirror and mirrors cannot both be meant");
  if (mirror !== undefined) {
    const share = shareOf(mirrorPercentage?.value ?? mirrorPercent ?? 100, `${path}.mirrorPercentage`);
    return [{ destination: readDestination(mirror, `${path}.mirror`), share }];
  }
  return (mirrors ?? []).map(({ destination, percentage }, index) => ({
    destination: readDestination(destination, `${path}.mirrors[${index}].destination`),
    share: shareOf(percentage?.value ?? 100, `${path}.mirrors[${index}].percentage`),
  }));
}

const corsKnown = new Set([
  "allowOrigin",
  "allowOrigins",
  "allowMethods",
  "allowHeaders",
  "exposeHeaders",
  "maxAge",
  "allowCredentials",
  "unmatchedPreflights",
]);

export function readCors(cors: Part<"corsPolicy">, path: string): CorsPolicy {
  only(cors, path, corsKnown);
  const names = (list: readonly string[] | undefined, field: string) =>
    (list ?? []).map((name) => (name === "*" ? name : headerName(name, `${path}.${field}`))).join(",");
  const origins = [
    ...(cors.allowOrigins ?? []).map((one, index) =>
      readString(one.exact === "*" ? { prefix: "" } : one, `${path}.allowOrigins[${index}]`, false),
    ),
    // The old field knows whole origins, and a star for any.
    ...(cors.allowOrigin ?? []).map((one) =>
      readString(one === "*" ? { prefix: "" } : { exact: one }, `${path}.allowOrigin`, false),
    ),
  ];
  const { unmatchedPreflights: unmatched = "UNSPECIFIED" } = cors;
  if (!["UNSPECIFIED", "FORWARD", "IGNORE"].includes(unmatched))
    throw invalid(
      `${path}.unmatchedPreflights`,
      `${JSON.stringify(unmatched)} is neither FORWARD nor IGNORE`,
    );
  return {
    origins: origins.filter((one) => one !== undefined),
    methods: names(cors.allowMethods, "allowMethods"),
    headers: names(cors.allowHeaders, "allowHeaders"),
    expose: names(cors.exposeHeaders, "exposeHeaders"),
    maxAgeSeconds:
      cors.maxAge === undefined ? undefined : Math.floor(durationMs(cors.maxAge, `${path}.maxAge`) / 1000),
    credentials: cors.allowCredentials === true,
    forwardUnmatched: unmatched !== "IGNORE",
  };
}
