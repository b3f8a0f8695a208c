export { type DecodedProtobuf, decodeProtobuf, isProtobuf } from "./decode.js";
