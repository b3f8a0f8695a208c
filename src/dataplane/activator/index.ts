// Where the throttler's policy and the proxy's mechanism meet, and the only place they do.
import type { Exchange, Forward } from "../proxy/index.js";
import { makeThrottler, type Throttler, type ThrottlerOptions } from "./throttler.js";
import type { Asker, Waiting } from "./types.js";

export { heldBodyBytes, type ThrottlerLimits } from "./limits.js";
export { Tally } from "./tally.js";
export type { Throttler } from "./throttler.js";
export type {
  Activity,
  Admitted,
  Asker,
  Limit,
  PodAddress,
  RevisionPods,
  RevisionSettings,
  Waiting,
} from "./types.js";

export type Activate = (exchange: Exchange & Waiting, asker: Asker) => void;

export function activator(
  { forward, lose }: { readonly forward: Forward; lose(address: string, because: string): void },
  options: Omit<ThrottlerOptions, "attempt" | "onLost">,
): { readonly activate: Activate; readonly throttler: Throttler } {
  const throttler = makeThrottler({
    ...options,
    // Only `activate` hands requests in, and those are exchanges.
    attempt: (waiting, target, done) => forward(waiting as Exchange & Waiting, target.address, done),
    onLost: ({ address }) => lose(address, "its container has ended"),
  });
  return { activate: (exchange, asker) => throttler.try(exchange, asker), throttler };
}
