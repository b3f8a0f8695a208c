// Whatever holds for our own front holds for the one on node:http: the same tests, once more.
process.env["DRYDOCK_GATEWAY_HTTP"] = "node";
await import("../../src/dataplane/gateway/gateway.test.js");
await import("../../src/dataplane/gateway/hostile.test.js");
await import("../../src/dataplane/gateway/streams.test.js");
await import("../../src/dataplane/gateway/tls.test.js");
await import("../../src/dataplane/gateway/contract.test.js");

export {};
