export { RequestBody } from "./body.js";
export type { Exchange, Forward, Forwarded, Reply, ReplyHead } from "./exchange.js";
export { createProxy, type Proxy } from "./forward.js";
export { append, pairsToObject } from "./h2c.js";
export { type ProxyLimits, proxyLimits } from "./limits.js";
