export { type BodySource, RequestBody, streamSource } from "./body.js";
export { ChunkedDecoder, lastChunk } from "./chunked.js";
export type { Exchange, Forward, Forwarded, Piece, Reply, ReplyHead } from "./exchange.js";
export {
  byteSet,
  FieldScanner,
  fieldOf,
  flat,
  headEndOf,
  isNamed,
  letterBit,
  lettersOf,
  tokenByte,
  toLines,
  toPairs,
  valueByte,
  withoutFields,
} from "./fields.js";
export { createProxy, type Proxy } from "./forward.js";
export { pairsToObject, toObject } from "./h2c.js";
export { oneWriteBytes, type ProxyLimits, proxyLimits, unreadBytes } from "./limits.js";
export type { Memory } from "./memory.js";
export { countOf, isChunked, optionsOf, rewritten } from "./responseHead.js";
