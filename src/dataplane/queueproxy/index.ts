export { type QueueProxySettings, readEnvironment } from "./environment.js";
export { type QueueProxy, type QueueProxyOptions, startQueueProxy } from "./queueProxy.js";
export { queueLog } from "./zap.js";
