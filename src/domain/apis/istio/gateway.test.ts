import { describe, expect, it } from "vitest";
import { admitted } from "../../../../test/admission.js";
import { admittedHost } from "./gateway.parse.js";
import { Gateway } from "./gateway.types.js";

type Part = { readonly [name: string]: unknown };

const http = { hosts: ["*"], port: { name: "http", number: 80, protocol: "HTTP" } };
const https = {
  hosts: ["*"],
  port: { name: "https", number: 443, protocol: "HTTPS" },
  tls: { mode: "SIMPLE", credentialName: "cert" },
};
const denied = (...servers: readonly Part[]) =>
  admitted(Gateway, { metadata: { name: "g" }, spec: { servers } }).denied?.replace(
    "configuration is invalid: ",
    "",
  );

describe("a Gateway", () => {
  it("is the debug guide's", () => {
    const { mode, ...files } = {
      mode: "SIMPLE",
      privateKey: "/etc/istio/ingressgateway-certs/tls.key",
      serverCertificate: "/etc/istio/ingressgateway-certs/tls.crt",
    };
    expect(denied(http, { ...https, tls: { mode, ...files } })).toBeUndefined();
  });

  it.each<[string, Part, string]>([
    [
      "TCP",
      { ...http, port: { number: 80, protocol: "TCP" } },
      '.port.protocol: "TCP" is not served: only HTTP, HTTPS, HTTP2 and GRPC are',
    ],
    ["no port", { hosts: ["*"] }, ".port.number: 0 is not a port"],
    ["no hosts", { ...http, hosts: [] }, ".hosts: a server needs at least one host"],
    ["a host that is none", { ...http, hosts: ["ns/a b"] }, '.hosts[0]: "a b" is not a host name'],
    ["HTTPS of no TLS", { ...https, tls: undefined }, ".tls: an HTTPS server needs TLS settings"],
    [
      "TLS on HTTP",
      { ...http, tls: { mode: "SIMPLE" } },
      ".tls.mode: a server of HTTP has no TLS of its own: say HTTPS",
    ],
    ["bytes passed through", { ...https, tls: {} }, ".tls.mode: PASSTHROUGH is not served: only SIMPLE is"],
    [
      "clients with certificates",
      { ...https, tls: { mode: "MUTUAL", credentialName: "c" } },
      ".tls.mode: MUTUAL is not served: only SIMPLE is",
    ],
    [
      "no certificate",
      { ...https, tls: { mode: "SIMPLE" } },
      ".tls: SIMPLE needs a credentialName, or a serverCertificate and a privateKey",
    ],
    [
      "old TLS",
      { ...https, tls: { ...https.tls, minProtocolVersion: "TLSV1_0" } },
      '.tls.minProtocolVersion: "TLSV1_0" is not spoken: only TLSV1_2 and TLSV1_3 are',
    ],
    [
      "a field nobody obeys",
      { ...http, defaultEndpoint: "127.0.0.1:80" },
      ".defaultEndpoint: this gateway does not know the field, and ignoring it would change who is served",
    ],
  ])("with a server of %s is refused", (_name, server, want) => {
    expect(denied(server)).toBe(`spec.servers[0]${want}`);
  });

  it("without servers is refused", () => {
    expect(denied()).toBe("spec.servers: a Gateway needs at least one server");
  });

  it.each([
    ["*", "a.b", "a.b"],
    ["*.b", "a.b", "a.b"],
    ["a.b", "*.b", "a.b"],
    ["*.b", "*", "*.b"],
    ["*.b", "b", undefined],
    ["*.c", "a.b", undefined],
    ["a.b", "a.b", "a.b"],
  ])("for %s admits %s as %s", (server, host, want) => {
    expect(admittedHost(server, host)).toBe(want);
  });
});
