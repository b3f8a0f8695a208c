// The data plane's door.
export {
  type Activate,
  type Admitted,
  activator,
  type InFlight,
  type PodAddress,
  type RevisionPods,
  type Throttler,
  type Waiting,
  warmThrottler,
} from "./activator/index.js";
export * from "./gateway/index.js";
export {
  createProxy,
  type Exchange,
  type Forward,
  type Forwarded,
  type Proxy,
  type ProxyLimits,
} from "./proxy/index.js";
