/** Why a port could not do what was asked, in the API's own words where it has them. */
export type PortErrorReason =
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Invalid"
  | "BadRequest"
  | "Unauthorized"
  | "Forbidden"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "UnsupportedMediaType"
  | "Expired"
  | "TooManyRequests"
  | "RequestEntityTooLarge"
  | "ServerTimeout"
  | "Timeout"
  | "ServiceUnavailable"
  | "InternalError"
  | "Unknown";

/**
 * The world's trouble, or the API's refusal. Branch on `reason`, never on the text.
 * `status` is the Kubernetes Status object when the refusal came with one.
 */
export class PortError extends Error {
  override readonly name = "PortError";

  constructor(
    readonly reason: PortErrorReason,
    message: string,
    options: { readonly cause?: unknown; readonly status?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
  }

  readonly status: unknown;
}

export function isPortError(error: unknown, reason?: PortErrorReason): error is PortError {
  return error instanceof PortError && (reason === undefined || error.reason === reason);
}

/** The API understood and said no: trying the same at once would be answered the same. */
export function isRefusal(error: unknown): error is PortError {
  return isPortError(error, "Forbidden") || isPortError(error, "Invalid") || isPortError(error, "BadRequest");
}
