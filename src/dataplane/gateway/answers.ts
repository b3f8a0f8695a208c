// What the gateway says in its own name: always which hop, which name and what was looked for.
import type { Admitted, Limit, PodAddress } from "../activator/index.js";
import { type Reply, toLines } from "../proxy/index.js";
import type { Incoming } from "./incoming.js";
import { hostsShown, retryAfterSeconds } from "./limits.js";
import { hostKey } from "./match.js";
import { notClean } from "./replyText.js";
import type { Destination, ListenerName, RouteTable } from "./table.js";

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly headers?: readonly string[];
  /** For gRPC clients, where it is not what the status usually means. */
  readonly grpcStatus?: number | undefined;
}

export function badRequest(because: string, status: number): Answer {
  return { status, reason: "BadRequest", message: notClean(because) };
}

export function noRoute(
  table: RouteTable,
  listener: ListenerName,
  incoming: Incoming,
  hostKnown: boolean,
): Answer {
  const { names } = table[listener];
  const asked = `${incoming.method} ${incoming.target} for host ${JSON.stringify(incoming.host)}`;
  if (hostKnown) {
    const message = `no route for ${asked} on the ${listener} listener: the host is known, but none of its rules takes this path`;
    return { status: 404, reason: "NoRoute", message };
  }
  const other = listener === "external" && table.local.exact.has(hostKey(incoming.host));
  const elsewhere = other ? "; the host exists for cluster-local traffic only" : "";
  const shown =
    names.length === 0 ? "there are no hosts yet" : `hosts here: ${nearest(names, incoming.host).join(", ")}`;
  const more = names.length > hostsShown ? ` and ${names.length - hostsShown} more` : "";
  return {
    status: 404,
    reason: "NoRoute",
    message: `no route for ${asked} on the ${listener} listener${elsewhere}; ${shown}${more}`,
  };
}

/** The hosts most likely meant come first: those that share the first label. */
function nearest(names: readonly string[], host: string): string[] {
  const label = hostKey(host).split(".")[0] ?? "";
  const alike =
    label === ""
      ? []
      : names.filter((name) => name.startsWith(label) || label.startsWith(name.split(".")[0] ?? name));
  return [...new Set([...alike, ...names])].slice(0, hostsShown);
}

/** Undefined when nothing is left to say: the answer had begun, or nobody is there to hear it. */
export function whatWentWrong(
  admitted: Admitted,
  destination: Destination,
  tried: PodAddress | undefined,
): Answer | undefined {
  const { revision } = destination;
  const pod = `pod ${tried?.pod ?? "?"} at ${tried?.address ?? "?"} of revision ${revision.namespace}/${revision.name}`;
  // Who holds requests, and who reads them.
  const hop = revision.hop ?? (revision.settings === undefined ? "gateway" : "activator");
  const front = revision.hop ?? "gateway";
  switch (admitted.outcome) {
    case "answered":
      return undefined;
    case "noPod":
      return {
        status: 503,
        reason: "NoReadyPod",
        message: `${hop}: ${admitted.because}`,
        headers: ["retry-after", String(retryAfterSeconds)],
      };
    case "queueFull":
      return {
        status: 503,
        reason: "QueueFull",
        message: `${hop}: ${admitted.because}`,
        headers: ["retry-after", String(retryAfterSeconds)],
      };
    case "late":
      return admitted.begun ? undefined : tooLate(admitted, destination, pod);
    case "refused":
      if (admitted.how === "full")
        return {
          status: 503,
          reason: "PodFull",
          message: `${pod} takes no more: ${admitted.because}`,
          headers: ["retry-after", String(retryAfterSeconds)],
        };
      return {
        status: admitted.how === "timeout" ? 504 : 502,
        reason: "PodRefused",
        message: `${pod} refused the connection: ${admitted.because}`,
      };
    case "broken":
      if (admitted.begun || admitted.how === "clientGone") return undefined;
      if (admitted.how === "tooLarge")
        return { status: 413, reason: "BodyTooLarge", message: `${front}: ${admitted.because}` };
      if (admitted.how === "tooSlow")
        return { status: 408, reason: "BodyTooSlow", message: `${front}: ${admitted.because}` };
      if (admitted.how === "timeout")
        return {
          status: 504,
          reason: "PodTimeout",
          message: `upstream request timeout: ${pod} was too slow: ${admitted.because}`,
        };
      return { status: 502, reason: "PodBroken", message: `${pod} broke off: ${admitted.because}` };
  }
}

const lateReasons: Readonly<Record<Limit, string>> = {
  timeoutSeconds: "RevisionTimeout",
  responseStartTimeoutSeconds: "ResponseStartTimeout",
  idleTimeoutSeconds: "IdleTimeout",
  "route timeout": "RouteTimeout",
};

/** The words before the colon are Knative's and Istio's own. */
function tooLate(
  { limit, ms, held }: Extract<Admitted, { outcome: "late" }>,
  { revision: { namespace, name, hop }, chain }: Destination,
  pod: string,
): Answer {
  const seconds = `${ms / 1000} s`;
  const where = held ? "while it waited for a pod" : `while ${pod} had it`;
  const message =
    limit === "route timeout"
      ? `upstream request timeout: the timeout of ${seconds} of the route ${chain.join(" -> ")} passed ${where}`
      : `${hop === undefined ? "activator " : ""}request timeout: ${limit} (${seconds}) of revision ${namespace}/${name} passed ${where}`;
  return { status: 504, reason: lateReasons[limit], message };
}

const grpcCodes: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 12,
  413: 8,
  502: 14,
  503: 14,
  504: 4,
  508: 13,
};

export function sendAnswer(
  reply: Reply,
  incoming: Pick<Incoming, "method" | "grpc">,
  answer: Answer,
  overH2: boolean,
): void {
  const extra = ["x-drydock-reason", answer.reason, ...(answer.headers ?? [])];
  if (incoming.grpc && overH2) {
    // A gRPC client reads its own status and would call anything else "unknown".
    const status = [
      "grpc-status",
      String(answer.grpcStatus ?? grpcCodes[answer.status] ?? 2),
      "grpc-message",
      encodeURIComponent(answer.message),
    ];
    const headers = ["content-type", "application/grpc", ...status, ...extra];
    reply.begin({ status: 200, reason: "", lines: toLines(headers), length: 0, hasBody: false });
    reply.end(undefined, []);
    return;
  }
  const body = Buffer.from(`${JSON.stringify({ error: answer.message })}\n`);
  const headers = ["content-type", "application/json", "content-length", String(body.length), ...extra];
  const hasBody = incoming.method !== "HEAD";
  reply.begin({ status: answer.status, reason: "", lines: toLines(headers), length: body.length, hasBody });
  reply.end(hasBody ? body : undefined, []);
}
