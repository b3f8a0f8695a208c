// Where the throttler's policy and the proxy's mechanism meet, and the only place they do.
import type { Exchange, Forward } from "../proxy/index.js";
import type { Admitted, Throttler, Waiting } from "./throttler.js";

export {
  type Admitted,
  type InFlight,
  type PodAddress,
  type RevisionPods,
  type Throttler,
  type Waiting,
  warmThrottler,
} from "./throttler.js";

export type Activate = (exchange: Exchange & Waiting) => Promise<Admitted>;

export const activator =
  (throttler: Throttler, forward: Forward): Activate =>
  (exchange) =>
    throttler.try(exchange, (target) => forward(exchange, target.address));
