// How long a gRPC caller waits, as it says in `grpc-timeout`. Caller, gateway and pod each measure it from when they
// heard of the call; whoever is first to give up, the caller must read the same: DEADLINE_EXCEEDED.
import type { Admitted } from "../activator/index.js";
import type { Answer } from "./answers.js";
import { headerOf, type Incoming } from "./incoming.js";
import { deadlineMarginMs } from "./limits.js";

const unitsMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Undefined without one; one that is not as gRPC writes it is the pod's to judge. */
export function grpcTimeoutMs(incoming: Incoming): number | undefined {
  if (!incoming.grpc) return undefined;
  const said = headerOf(incoming, "grpc-timeout");
  const [, count, unit = ""] = (said !== undefined && /^(\d{1,8})([HMSmun])$/.exec(said)) || [];
  const ms = Number(count) * (unitsMs[unit] ?? 0);
  return ms > 0 ? Math.ceil(ms) : undefined;
}

/** What the caller's deadline made of a call; undefined when something else did. */
export function deadlineExceeded(admitted: Admitted, waitedMs: number, ms: number): Answer | undefined {
  if (admitted.outcome === "answered" || ("begun" in admitted && admitted.begun)) return undefined;
  if (admitted.outcome === "broken" && admitted.how === "clientGone") return undefined;
  const cutOff = admitted.outcome === "broken" && admitted.how === "closed";
  if (waitedMs < (cutOff ? ms - deadlineMarginMs : ms)) return undefined;
  const where =
    admitted.outcome === "broken" ? ` while a pod had it: ${admitted.because}` : " before a pod answered";
  return {
    status: 504,
    reason: "DeadlineExceeded",
    message: `the caller's deadline of ${ms} ms passed${where}`,
  };
}

/** The end of an answer that had begun when the deadline passed. */
export const deadlineTrailers: readonly string[] = [
  "grpc-status",
  "4",
  "grpc-message",
  encodeURIComponent("the caller's deadline passed in the middle of the answer"),
];
