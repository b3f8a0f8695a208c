// The data plane's door.
export type {
  Admitted,
  PodAddress,
  RevisionPods,
  RevisionSettings,
  ThrottlerLimits,
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
export {
  type QueueProxySettings,
  queueLog,
  readEnvironment,
  startQueueProxy,
} from "./queueproxy/index.js";
