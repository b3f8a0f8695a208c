// Faults on purpose: a share of requests waits, a share is answered with an error. Each hop throws its own dice.
import type { Fault } from "../../domain/apis/istio/routing.types.js";
import type { Random } from "../../ports/index.js";
import type { Answer } from "./answers.js";

export interface Injected {
  readonly delayMs: number;
  readonly abort: Answer | undefined;
}

/** As if one hop came after the other: what waits at the first is not aborted by the second any sooner. */
export function injectFaults(faults: readonly Fault[], host: string, random: Random): Injected {
  let delayMs = 0;
  for (const { delay, abort } of faults) {
    if (delay !== undefined && random() < delay.share) delayMs += delay.ms;
    if (abort === undefined || random() >= abort.share) continue;
    const { status, grpcStatus } = abort;
    const message = `fault filter abort: the gateway was told to answer so by the VirtualService of host ${host}`;
    return { delayMs, abort: { status, reason: "FaultInjected", message, grpcStatus } };
  }
  return { delayMs, abort: undefined };
}
