// The API and the gateway as raw HTTP: what the command line needs beside typed objects (tables, logs, discovery).

export { type ApiHttp, type ApiHttpOptions, type ApiHttpRequest, apiHttp } from "./apiHttp.js";
export { type Called, type CallOptions, callGateway } from "./callGateway.js";
