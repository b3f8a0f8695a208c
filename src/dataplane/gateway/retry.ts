// Sending a request again. What never reached a pod may always be; what a pod may have begun to work on only when
// its method or its author says that twice is as good as once. A plain request never comes here.
import type { RetryPolicy } from "../../domain/apis/istio/routing.types.js";
import type { Random } from "../../ports/index.js";
import type { Admitted } from "../activator/index.js";
import { fieldOf, type ReplyHead, type RequestBody } from "../proxy/index.js";
import { backOffFirstMs, backOffMaxTimes, retriesAlways, retryShare } from "./limits.js";
import type { ShapedReply } from "./shapedReply.js";
import type { Stats } from "./stats.js";

export interface Repeatable {
  readonly policy: RetryPolicy;
  /** The author, the method or an Idempotency-Key says that it may be worked on twice. */
  readonly idempotent: boolean;
  readonly grpc: boolean;
  /** Behind the route is a Revision: whoever found no pod has waited for one. */
  readonly waitsForPods: boolean;
  readonly body: RequestBody | undefined;
  readonly reply: ShapedReply;
  /** The whole route's limit, from arrival. */
  readonly timeoutMs: number | undefined;
  readonly arrivedMs: number;
  /** One try, with its own limit from now. */
  send(timeoutMs: number | undefined): Promise<Admitted>;
}

export interface Tried {
  readonly admitted: Admitted;
  readonly tries: number;
}

export async function sendAgain(
  one: Repeatable,
  {
    stats,
    random,
    replayBytes,
  }: { readonly stats: Stats; readonly random: Random; readonly replayBytes: number },
): Promise<Tried> {
  const { policy, reply, body } = one;
  const judges = one.idempotent || (one.grpc && policy.grpcStatuses.size > 0);
  if (judges) body?.keep(replayBytes);
  let before = 0;
  try {
    for (let tries = 1; ; tries += 1) {
      const more = tries <= policy.attempts && hasRoom(stats);
      reply.declined = false;
      reply.declines = judges && more ? (head) => (body?.canReplay ?? true) && isBad(head, one) : undefined;
      const admitted = await one.send(limitOfTry(one));
      const again = reply.declined || isUnlucky(admitted, one);
      if (!again || reply.gone) return { admitted, tries };
      if (!more && tries <= policy.attempts) stats.retries.spared += 1;
      const waitMs = random() * Math.min(longestWaitMs(policy), firstWaitMs(policy) * (2 ** tries - 1));
      // An answer that was declined is gone; there is time for another, or it would not have been.
      if (!more || (!reply.declined && runsOut(one, waitMs))) return { admitted, tries };
      stats.retries.made += 1;
      stats.retries.underWay += 1 - before;
      before = 1;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  } finally {
    stats.retries.underWay -= before;
    if (judges) body?.release();
  }
}

function hasRoom({ retries, inFlight }: Stats): boolean {
  return retries.underWay < Math.max(retriesAlways, inFlight * retryShare);
}

/** What is left for one try: the route's limit is from the request's arrival. */
function limitOfTry({ policy, timeoutMs, arrivedMs }: Repeatable): number | undefined {
  const left = timeoutMs === undefined ? undefined : Math.max(1, timeoutMs + arrivedMs - performance.now());
  const { perTryMs } = policy;
  return perTryMs === undefined || left === undefined ? (perTryMs ?? left) : Math.min(perTryMs, left);
}

/** A try that would have less than this is none. */
const shortestTryMs = 5;

function runsOut({ timeoutMs, arrivedMs }: Repeatable, waitMs: number): boolean {
  return timeoutMs !== undefined && performance.now() - arrivedMs + waitMs + shortestTryMs >= timeoutMs;
}

function firstWaitMs({ backoffMs }: RetryPolicy): number {
  return backoffMs ?? backOffFirstMs;
}

function longestWaitMs(policy: RetryPolicy): number {
  return backOffMaxTimes * firstWaitMs(policy);
}

/** An answer that the policy would rather not pass on. */
function isBad(head: ReplyHead, one: Repeatable): boolean {
  const { policy, idempotent, grpc } = one;
  if (runsOut(one, longestWaitMs(policy))) return false;
  if (grpc) {
    const status = fieldOf(head.lines, "grpc-status");
    // The server itself says with these that trying again is the thing to do.
    if (status !== undefined && policy.grpcStatuses.has(Number(status))) return true;
  }
  return idempotent && isBadStatus(head.status, policy);
}

function isBadStatus(status: number, { serverErrors, statuses }: RetryPolicy): boolean {
  if (statuses.has(status)) return true;
  if (serverErrors === "all") return status >= 500;
  return serverErrors === "gateway" && (status === 502 || status === 503 || status === 504);
}

/** No answer at all, and the policy covers that. */
function isUnlucky(admitted: Admitted, one: Repeatable): boolean {
  const { policy, idempotent, waitsForPods, body } = one;
  const unsent = policy.unsent || isBadStatus(503, policy);
  switch (admitted.outcome) {
    case "answered":
      return false;
    case "queueFull":
      // Coming back at once would make the queue longer.
      return false;
    case "refused":
      return unsent;
    case "noPod":
      return unsent && !waitsForPods;
    case "late":
      if (admitted.begun || admitted.limit !== "route timeout") return false;
      return admitted.held ? unsent : idempotent && (policy.reset || isBadStatus(504, policy));
    case "broken":
      if (admitted.begun || !idempotent || !(body?.canReplay ?? true)) return false;
      if (admitted.how === "timeout") return policy.reset || isBadStatus(504, policy);
      return (
        (admitted.how === "closed" || admitted.how === "malformed") &&
        (policy.reset || isBadStatus(502, policy))
      );
  }
}
