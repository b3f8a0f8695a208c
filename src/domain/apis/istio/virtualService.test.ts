import { describe, expect, it } from "vitest";
import { admitted } from "../../../../test/admission.js";
import { VirtualService } from "./virtualService.types.js";

type Part = { readonly [name: string]: unknown };

const to = { route: [{ destination: { host: "a" } }] };
const spec = (...http: readonly Part[]) => ({ hosts: ["v.x"], http });
const named = (given: object, annotations: Part = {}) => ({
  metadata: { name: "v", annotations },
  spec: given,
});
const denied = (given: object) =>
  admitted(VirtualService, named(given)).denied?.replace("configuration is invalid: ", "");
const rule = (more: Part) => denied(spec({ ...to, ...more }));
const match = (test: Part) => rule({ match: [test] });
const ahead = "spec.http[0]";

describe("a VirtualService", () => {
  it("may say all of it at once", () => {
    const everything = {
      ...to,
      name: "all",
      match: [
        {
          uri: { prefix: "/v1" },
          scheme: { exact: "https" },
          method: { regex: "GET|POST" },
          authority: { exact: "v.x:80" },
          headers: { "x-a": {} },
          withoutHeaders: { "x-b": { exact: "1" } },
          queryParams: { q: { regex: "\\d+" } },
          port: 443,
          gateways: ["mesh", "./mine", "ns/other", "old.ns"],
          ignoreUriCase: true,
        },
      ],
      rewrite: { uriRegexRewrite: { match: "/v(\\d)", rewrite: "/\\1" }, authority: "b.x" },
      timeout: "1.5s",
      retries: { attempts: 3, perTryTimeout: "1s", retryOn: "5xx, reset,retriable-4xx,502,unavailable" },
      fault: {
        delay: { percentage: { value: 0.1 }, fixedDelay: "5s" },
        abort: { percentage: { value: 50 }, grpcStatus: "UNAVAILABLE" },
      },
      mirrors: [{ destination: { host: "c" }, percentage: { value: 10 } }],
      corsPolicy: { allowOrigins: [{ exact: "https://x" }], allowMethods: ["GET"], maxAge: "24h" },
      headers: { request: { set: { a: "b" } }, response: { remove: ["server"] } },
      websocketUpgrade: true,
    };
    expect(denied(spec(everything))).toBeUndefined();
  });

  it("without hosts is there to be delegated to", () => {
    expect(denied({ http: [to] })).toBeUndefined();
  });

  it("is refused with every fault at once, each with its place", () => {
    expect(denied(spec({ ...to, timeout: "soon" }, {}, { ...to, match: [{ uri: { regex: "(" } }] }))).toBe(
      [
        "3 errors occurred:",
        '\t* spec.http[0].timeout: "soon" is not a duration such as 1.5s',
        "\t* spec.http[1].route: a rule needs a route, a redirect, a directResponse or a delegate",
        '\t* spec.http[2].match[0].uri.regex: "(" is not a regular expression: a group is not closed',
        "\n",
      ].join("\n"),
    );
  });

  it.each<[string, object, string]>([
    ["no hosts", { gateways: ["g"], http: [to] }, "spec.hosts: a VirtualService needs at least one host"],
    ["a host that is none", { hosts: ["a_b/c"], http: [to] }, 'spec.hosts[0]: "a_b/c" is not a host name'],
    ["a host twice", { hosts: ["a.x", "a.x"], http: [to] }, "spec.hosts: a.x is named twice"],
    ["no rules", { hosts: ["a.x"] }, "spec.http: only HTTP routes are served, and there is none"],
    ["TCP", { hosts: ["a.x"], http: [to], tcp: [{}] }, "spec.tcp: only HTTP routes are served"],
  ])("with %s is refused", (_name, given, want) => {
    expect(denied(given)).toBe(want);
  });

  it.each<[string, Part, string]>([
    [
      "both route and redirect",
      { redirect: { uri: "/" } },
      `${ahead}: a rule cannot have both route and redirect`,
    ],
    [
      "a weight below nothing",
      {
        route: [
          { destination: { host: "a" }, weight: -1 },
          { destination: { host: "b" }, weight: 1 },
        ],
      },
      `${ahead}.route[0].weight: -1 is not a weight`,
    ],
    [
      "a subset",
      { route: [{ destination: { host: "a", subset: "v1" } }] },
      `${ahead}.route[0].destination.subset: there are no DestinationRules here: name the Service of the subset`,
    ],
    [
      "a port beyond all",
      { route: [{ destination: { host: "a", port: { number: 70000 } } }] },
      `${ahead}.route[0].destination.port.number: 70000 is not a port`,
    ],
    [
      "a header that frames",
      { headers: { response: { set: { "Content-Length": "3" } } } },
      `${ahead}.headers.response.set: Content-Length frames the message and cannot be set by a route`,
    ],
    [
      "a header that breaks the line",
      { headers: { request: { add: { a: "b\r\nc" } } } },
      `${ahead}.headers.request.add[a]: a header value cannot hold control characters`,
    ],
    [
      "a reason nobody knows",
      { retries: { attempts: 1, retryOn: "5xx,whenever" } },
      `${ahead}.retries.retryOn: "whenever" is not a reason to try again`,
    ],
    [
      "too many tries",
      { retries: { attempts: 99 } },
      `${ahead}.retries.attempts: 99 is not between 0 and 25`,
    ],
    [
      "a fault of no kind",
      { fault: { abort: {} } },
      `${ahead}.fault.abort: one of httpStatus and grpcStatus says what the abort is`,
    ],
    [
      "a fault of more than all",
      { fault: { delay: { percentage: { value: 101 }, fixedDelay: "1s" } } },
      `${ahead}.fault.delay.percentage: 101 is not between 0 and 100`,
    ],
    [
      "a delay of no length",
      { fault: { delay: { percentage: { value: 1 } } } },
      `${ahead}.fault.delay.fixedDelay: "" is not a duration such as 1.5s`,
    ],
    [
      "a gRPC status nobody knows",
      { fault: { abort: { grpcStatus: "TIRED" } } },
      `${ahead}.fault.abort.grpcStatus: "TIRED" is not a gRPC status`,
    ],
    [
      "mirrors twice",
      { mirror: { host: "b" }, mirrors: [{ destination: { host: "c" } }] },
      `${ahead}.mirrors: mirror and mirrors cannot both be meant`,
    ],
    [
      "a rewrite to a group that is not there",
      { rewrite: { uriRegexRewrite: { match: "a", rewrite: "\\1" } } },
      `${ahead}.rewrite.uriRegexRewrite.match: "a" is not a regular expression: there is no group 1, only 0`,
    ],
    [
      "a preflight policy nobody knows",
      { corsPolicy: { unmatchedPreflights: "MAYBE" } },
      `${ahead}.corsPolicy.unmatchedPreflights: "MAYBE" is neither FORWARD nor IGNORE`,
    ],
  ])("with a rule with %s is refused", (_name, more, want) => {
    expect(rule(more)).toBe(want);
  });

  it.each<[string, Part, string]>([
    ["status", { status: 99 }, `${ahead}.directResponse.status: 99 is not a status between 200 and 599`],
    [
      "body",
      { status: 200, body: { string: "x".repeat(1_100_000) } },
      `${ahead}.directResponse.body: longer than 1 MiB`,
    ],
  ])("with a direct response of a bad %s is refused", (_name, directResponse, want) => {
    expect(denied(spec({ directResponse }))).toBe(want);
  });

  it.each<[string, Part, string]>([
    ["code", { redirectCode: 200 }, `${ahead}.redirect.redirectCode: 200 does not redirect`],
    ["scheme", { scheme: "ftp" }, `${ahead}.redirect.scheme: "ftp" is neither http nor https`],
    [
      "port",
      { port: 80, derivePort: "FROM_REQUEST_PORT" },
      `${ahead}.redirect: port and derivePort cannot both be meant`,
    ],
    ["path", { uri: "/a\r\nb" }, `${ahead}.redirect.uri: not fit for a URL`],
  ])("with a redirect of a bad %s is refused", (_name, redirect, want) => {
    expect(denied(spec({ redirect }))).toBe(want);
  });

  it.each<[string, Part, string]>([
    [
      "an expression that looks ahead",
      { uri: { regex: "(?=a)" } },
      `${ahead}.match[0].uri.regex: "(?=a)" is not a regular expression: (?=a is not part of RE2`,
    ],
    [
      "one that is too long",
      { uri: { regex: "a".repeat(2000) } },
      `${ahead}.match[0].uri.regex: longer than 1024 characters`,
    ],
    [
      "two ways to say it",
      { uri: { exact: "/", prefix: "/" } },
      `${ahead}.match[0].uri: only one of exact, prefix and regex can be meant`,
    ],
    [
      "where a request comes from",
      { sourceLabels: { a: "b" } },
      `${ahead}.match[0].sourceLabels: a gateway does not know which workload a request comes from`,
    ],
    [
      "a header of no name",
      { headers: { "a b": {} } },
      `${ahead}.match[0].headers: "a b" is not a header name`,
    ],
  ])("with a match by %s is refused", (_name, test, want) => {
    expect(match(test)).toBe(want);
  });

  it("that delegates cannot be delegated to", () => {
    expect(denied({ http: [{ delegate: { name: "b" } }] })).toBe(
      `${ahead}.delegate: what is delegated to has no hosts, and cannot delegate further`,
    );
    expect(denied({ hosts: ["v.x"], http: [{ delegate: { name: "b" } }] })).toBeUndefined();
  });

  it("that is there already can be labelled, however bad it is", () => {
    const bad = named(spec({ ...to, timeout: "soon" }));
    const old = admitted(VirtualService, bad).object;
    const labelled = { ...bad, metadata: { ...bad.metadata, labels: { a: "b" } } };
    expect(admitted(VirtualService, labelled, { old }).denied).toBeUndefined();
  });
});
