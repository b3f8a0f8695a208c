// What VirtualServices and Gateways say beyond plain routes, compiled and asked.
import { describe, expect, it } from "vitest";
import {
  endpoints,
  external,
  gateway,
  plain,
  plainServer,
  service,
  tlsServer,
} from "../../../test/dataplane/testing.js";
import { makeAuthority } from "../../adapters/tls/certificates.js";
import { compileRoutes } from "./compile.js";
import type { CompileInput, VirtualServiceInput } from "./inputs.js";
import { type Asked, findHost, matchRoute } from "./match.js";
import { redirectTo } from "./redirect.js";
import type { ListenerName, RouteTable } from "./table.js";

const backend = {
  services: [service("a"), service("b"), service("c")],
  endpoints: [endpoints("a", [1001]), endpoints("b", [1002]), endpoints("c", [1003])],
};

function compile(
  virtualServices: readonly VirtualServiceInput[],
  more: Partial<CompileInput> = {},
  previous?: RouteTable,
) {
  return compileRoutes({ virtualServices, ...backend, ...more }, previous);
}

interface How {
  readonly listener?: ListenerName;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly secure?: boolean;
}

function ask(table: RouteTable, host: string, target = "/", how: How = {}) {
  const { listener = "external", method = "GET", headers = {}, secure = false } = how;
  const routes = findHost(table[listener], host);
  if (routes === undefined) return undefined;
  const asked: Asked = { host, method, target, secure, header: (name) => headers[name] };
  return matchRoute(routes, asked, () => 0);
}

type Found = ReturnType<typeof ask>;
const name = (found: Found) => (found?.kind === "forward" ? found.destination.revision.name : found?.kind);
const to = (host: string) => ({ route: [{ destination: { host, port: { number: 80 } } }] });
const extrasOf = (found: Found) => (found?.kind === "forward" ? found.destination.extras : undefined);

/** Rules of one host, the last for everything else. */
const rules = (...http: readonly object[]): VirtualServiceInput => ({
  metadata: { name: "v", namespace: "default" },
  spec: { gateways: [external, "mesh"], hosts: ["v.x"], http: [...http, to("c")] },
});

describe("a match", () => {
  it.each<[string, object, string, How, boolean]>([
    ["a header that is there", { headers: { "X-A": {} } }, "/", { headers: { "x-a": "" } }, true],
    ["a header that is not", { headers: { "X-A": {} } }, "/", {}, false],
    [
      "without a header that is there",
      { withoutHeaders: { "X-A": {} } },
      "/",
      { headers: { "x-a": "1" } },
      false,
    ],
    ["without a header that is not", { withoutHeaders: { "X-A": {} } }, "/", {}, true],
    [
      "without a header of that value",
      { withoutHeaders: { "X-A": { exact: "1" } } },
      "/",
      { headers: { "x-a": "2" } },
      true,
    ],
    ["a parameter", { queryParams: { q: { exact: "a b" } } }, "/p?x=1&q=a%20b", {}, true],
    ["a parameter of another value", { queryParams: { q: { exact: "a" } } }, "/p?q=b&q=a", {}, false],
    ["a parameter by expression", { queryParams: { q: { regex: "\\d+" } } }, "/p?q=12", {}, true],
    ["a parameter that is not there", { queryParams: { q: {} } }, "/p", {}, false],
    ["any case of a path", { uri: { prefix: "/V1" }, ignoreUriCase: true }, "/v1/x", {}, true],
    ["one case of a path", { uri: { prefix: "/V1" } }, "/v1/x", {}, false],
    ["any case of a whole path", { uri: { exact: "/V1" }, ignoreUriCase: true }, "/v1", {}, true],
    ["a method by expression", { method: { regex: "P(OST|UT)" } }, "/", { method: "PUT" }, true],
    ["http", { scheme: { exact: "http" } }, "/", {}, true],
    ["https, where nobody speaks it", { scheme: { exact: "https" } }, "/", {}, false],
    ["the port that the listener stands for", { port: 80 }, "/", {}, true],
    ["a port that no Gateway opens", { port: 81 }, "/", {}, false],
    ["a Gateway it did not come through", { gateways: ["mesh"] }, "/", {}, false],
    ["a Gateway it came through", { gateways: [external] }, "/", {}, true],
    ["an authority with a port, which does not count", { authority: { exact: "V.x:8080" } }, "/", {}, true],
    [
      "hostile text by a hostile expression",
      { uri: { regex: "/(a+)+b" } },
      `/${"a".repeat(30_000)}`,
      {},
      false,
    ],
  ])("by %s", (_name, match, target, how, want) => {
    const { table, problems } = compile([rules({ match: [match], ...to("a") })]);
    expect(problems).toEqual([]);
    expect(name(ask(table, "v.x", target, how))).toBe(want ? "a" : "c");
  });

  it("decided beforehand costs nothing: the scheme, where there is only one", () => {
    const { table } = compile([rules({ match: [{ scheme: { prefix: "http" } }], ...to("a") })]);
    expect(table.external.exact.get("v.x")?.rules[0]?.when).toEqual([]);
  });
});

describe("what a rule does", () => {
  it("replaces the prefix that matched, each its own", () => {
    const match = [{ uri: { prefix: "/a/" } }, { uri: { prefix: "/b/" } }, { uri: { exact: "/c" } }];
    const { table } = compile([rules({ match, rewrite: { uri: "/" }, ...to("a") })]);
    const target = (path: string) => {
      const found = ask(table, "v.x", path);
      return found?.kind === "forward" ? found.target : undefined;
    };
    expect(["/a/x?q", "/b/y", "/c?q", "/d"].map(target)).toEqual(["/x?q", "/y", "/?q", "/d"]);
  });

  it("answers by itself", () => {
    const { table } = compile([
      rules({ match: [{ uri: { prefix: "/no" } }], directResponse: { status: 403, body: { string: "no" } } }),
    ]);
    expect(ask(table, "v.x", "/no")).toMatchObject({ kind: "direct", status: 403, body: Buffer.from("no") });
  });

  it.each<[object, string, object, string]>([
    [{ uri: "/new" }, "/old?q=1", {}, "http://v.x:8080/new?q=1"],
    [{ uri: "/new?p=2" }, "/old?q=1", {}, "http://v.x:8080/new?p=2"],
    [{ authority: "w.x" }, "/old", {}, "http://w.x/old"],
    [{ port: 81 }, "/old", {}, "http://v.x:81/old"],
    [{ port: 80 }, "/old", {}, "http://v.x/old"],
    [{ derivePort: "FROM_REQUEST_PORT", scheme: "https" }, "/", {}, "https://v.x:8080/"],
    [{ derivePort: "FROM_PROTOCOL_DEFAULT", scheme: "https" }, "/", {}, "https://v.x/"],
    [{ scheme: "https" }, "/", {}, "https://v.x/"],
    [{ scheme: "https" }, "/", { httpsPort: 18_443 }, "https://v.x:18443/"],
    [{ scheme: "https" }, "/", { httpsPort: 18_443, host: "v.x" }, "https://v.x/"],
  ])("redirects by %j from %s, %j to %s", (redirect, target, from, want) => {
    const { table } = compile([
      {
        ...rules(),
        spec: {
          hosts: ["v.x"],
          gateways: [external],
          http: [{ redirect: { redirectCode: 308, ...redirect } }],
        },
      },
    ]);
    const found = ask(table, "v.x", target);
    if (found?.kind !== "redirect") throw new Error(`${found?.kind}`);
    const answer = redirectTo(found.redirected.redirect, {
      host: "v.x:8080",
      scheme: "http",
      httpsPort: undefined,
      target: found.target,
      ...from,
    });
    expect(answer).toMatchObject({ status: 308, headers: ["location", want] });
  });

  it("changes answers, the last hop's changes first, and nothing where nobody asks", () => {
    const headers = (set: object, more: object = {}) => ({ headers: { response: { set, ...more } } });
    const outer = plain("outer", ["outer.x"], {
      ...headers({ "x-hop": "outer" }, { remove: ["X-Inner"] }),
      route: [
        {
          destination: { host: "knative-local-gateway.istio-system.svc.cluster.local" },
          headers: { request: { set: { Host: "v.x" } } },
        },
      ],
    });
    const inner = rules({
      ...headers({ "x-hop": "inner", "x-inner": "1" }),
      route: [{ destination: { host: "a" }, ...headers({}, { add: { "x-arm": "a" } }) }],
    });
    const { table } = compile([outer, inner]);
    const change = extrasOf(ask(table, "outer.x"))?.response;
    expect(change?.text).toBe("x-hop: outer\r\nx-arm: a\r\n");
    expect([...(change?.drop ?? [])].sort()).toEqual(["x-hop", "x-inner"]);
    const { table: bare } = compile([plain("p", ["p.x"], to("a"))]);
    expect(ask(bare, "p.x")).toMatchObject({ kind: "forward", destination: { extras: undefined } });
  });

  it("adds up over the hops: faults and mirrors of each, the browser's side of CORS, the pod's side of retries", () => {
    const outer = plain("outer", ["outer.x"], {
      fault: { delay: { percentage: { value: 50 }, fixedDelay: "1s" } },
      corsPolicy: { allowOrigins: [{ exact: "https://outer" }] },
      retries: { attempts: 9 },
      mirror: { host: "b" },
      route: [
        {
          destination: { host: "knative-local-gateway.istio-system.svc.cluster.local" },
          headers: { request: { set: { Host: "v.x" } } },
        },
      ],
    });
    const inner = rules({
      fault: { abort: { percentage: { value: 25 }, httpStatus: 418 } },
      corsPolicy: { allowOrigins: [{ exact: "https://inner" }] },
      retries: { attempts: 3, retryOn: "5xx,429", perTryTimeout: "2s" },
      mirrors: [{ destination: { host: "c" }, percentage: { value: 10 } }],
      ...to("a"),
    });
    const { table } = compile([outer, inner]);
    expect(extrasOf(ask(table, "outer.x"))).toMatchObject({
      faults: [{ delay: { share: 0.5, ms: 1000 } }, { abort: { share: 0.25, status: 418 } }],
      cors: { origins: [{ value: "https://outer" }] },
      retry: { attempts: 3, perTryMs: 2000, serverErrors: "all", statuses: new Set([429]) },
      mirrors: [
        { share: 1, to: { revision: { name: "b" } } },
        { share: 0.1, to: { revision: { name: "c" } } },
      ],
    });
  });

  it("turns off with no attempts what an outer rule asks for", () => {
    const { table } = compile([rules({ retries: { attempts: 0 }, ...to("a") })]);
    expect(extrasOf(ask(table, "v.x"))).toBeUndefined();
  });
});

describe("a delegate", () => {
  const child = (http: readonly object[], namespace = "team"): VirtualServiceInput => ({
    metadata: { name: "child", namespace },
    spec: { http },
  });
  const root = (rule: object, delegate: object = { name: "child", namespace: "team" }) =>
    rules({ ...rule, delegate });
  const team = {
    services: [...backend.services, { ...service("d"), metadata: { name: "d", namespace: "team" } }],
    endpoints: [
      ...backend.endpoints,
      { ...endpoints("d", [1004]), metadata: { name: "d", namespace: "team" } },
    ],
  };

  it("has its rules within the root's match, its short names in its own namespace", () => {
    const { table, problems } = compile(
      [
        root({ match: [{ uri: { prefix: "/team" } }], timeout: "7s" }),
        child([
          { match: [{ uri: { prefix: "/team/x" }, headers: { "x-a": {} } }], timeout: "1s", ...to("d") },
          { match: [{ uri: { exact: "/elsewhere" } }], ...to("a") },
          to("d"),
        ]),
      ],
      team,
    );
    expect(problems).toEqual([]);
    const found = (path: string, headers = {}) => {
      const one = ask(table, "v.x", path, { headers });
      return one?.kind === "forward"
        ? `${one.destination.revision.namespace}/${one.destination.revision.name} ${one.destination.timeoutMs}`
        : one?.kind;
    };
    expect(found("/team/x", { "x-a": "1" })).toBe("team/d 1000");
    expect(found("/team/x")).toBe("team/d 7000");
    expect(found("/elsewhere")).toBe("default/c undefined");
  });

  it.each<[string, readonly VirtualServiceInput[], string]>([
    ["is not there", [], "spec.http[0].delegate: there is no VirtualService team/child"],
    [
      "has hosts of its own",
      [{ ...child([to("d")]), spec: { hosts: ["w.x"], http: [to("d")] } }],
      "spec.http[0].delegate: VirtualService team/child has hosts of its own, so nobody can delegate to it",
    ],
    [
      "matches nothing that the root does",
      [child([{ match: [{ uri: { prefix: "/other" } }], ...to("d") }])],
      "spec.http[0].delegate: no rule of VirtualService team/child is within what this one matches",
    ],
  ])("that %s is told, and the other rules serve", (_name, children, message) => {
    const { table, problems } = compile([root({ match: [{ uri: { prefix: "/team" } }] }), ...children]);
    expect(problems).toContainEqual({
      object: "VirtualService default/v",
      reason: "DelegateMissing",
      message,
      keptPrevious: false,
    });
    expect(name(ask(table, "v.x", "/team"))).toBe("c");
  });

  it("that changes, changes its root", () => {
    const first = compile([root({}), child([to("a")])], team).table;
    const second = compile([root({}), child([to("d")])], team, first).table;
    expect([first, second].map((table) => name(ask(table, "v.x")))).toEqual(["deadEnd", "d"]);
  });
});

describe("a Gateway", () => {
  const cert = makeAuthority(0).sign({ commonName: "v.x" }, "server", ["v.x"]);
  const secret = {
    metadata: { name: "cert", namespace: "knative-serving" },
    data: {
      "tls.crt": Buffer.from(cert.cert).toString("base64"),
      "tls.key": Buffer.from(cert.key).toString("base64"),
    },
  };
  const ingress = "knative-ingress-gateway";
  const bound = plain("v", ["v.x"], to("a"));
  const withGateway = (servers: readonly object[], more: Partial<CompileInput> = {}) =>
    compile([bound], { gateways: [gateway(ingress, servers)], secrets: [secret], ...more });

  it.each<[string, readonly string[], boolean]>([
    ["any host", ["*"], true],
    ["the host's domain", ["*.x"], true],
    ["another domain", ["*.y"], false],
    ["its own namespace's", ["./*"], false],
    ["that namespace's", ["default/*.x"], true],
  ])("for %s decides what is served outside", (_name, hosts, want) => {
    const { table, problems } = withGateway([{ ...plainServer, hosts }]);
    expect(name(ask(table, "v.x"))).toBe(want ? "a" : undefined);
    expect(name(ask(table, "v.x", "/", { listener: "local" }))).toBe("a");
    expect(problems.map((one) => one.reason)).toEqual(want ? [] : ["HostNotAdmitted"]);
  });

  it("narrows a wildcard to what it is for", () => {
    const { table } = compile([plain("v", ["*.x"], to("a"))], {
      gateways: [gateway(ingress, [{ ...plainServer, hosts: ["*.y.x"] }])],
    });
    expect(name(ask(table, "m.y.x"))).toBe("a");
    expect(ask(table, "m.x")).toBeUndefined();
  });

  it("of the local pods opens inside only, and one of nobody's pods nothing", () => {
    const at = (labels: Record<string, string>) =>
      compile([{ ...bound, spec: { ...bound.spec, gateways: ["knative-serving/mine"] } }], {
        gateways: [gateway("mine", [plainServer], labels as never)],
      });
    const local = at({ istio: "cluster-local-gateway" });
    expect(ask(local.table, "v.x")).toBeUndefined();
    expect(name(ask(local.table, "v.x", "/", { listener: "local" }))).toBe("a");
    expect(at({ istio: "egressgateway" }).problems).toMatchObject([
      { reason: "GatewayMissing", message: expect.stringContaining("selects istio=egressgateway") },
    ]);
  });

  it("brings certificates, the same to the object until they change", () => {
    const servers = [plainServer, tlsServer];
    const first = withGateway(servers);
    expect(first.problems).toEqual([]);
    expect(first.table.tls).toMatchObject([{ hosts: ["*"], cert: cert.cert, key: cert.key }]);
    const input = { gateways: [gateway(ingress, servers)], secrets: [{ ...secret }] };
    expect(compile([bound], input, first.table).table.tls).toBe(first.table.tls);
    const next = makeAuthority(0).sign({ commonName: "v.x" }, "server", ["v.x"]);
    const data = {
      "tls.crt": Buffer.from(next.cert).toString("base64"),
      "tls.key": Buffer.from(next.key).toString("base64"),
    };
    const renewed = compile([bound], { ...input, secrets: [{ ...secret, data }] }, first.table);
    expect(renewed.table.tls).toMatchObject([{ cert: next.cert }]);
  });

  it.each<[string, object, string]>([
    ["gone", { secrets: [] }, "there is no Secret knative-serving/cert and no Secret istio-system/cert"],
    [
      "half there",
      { secrets: [{ ...secret, data: { "tls.crt": secret.data["tls.crt"] } }] },
      "Secret knative-serving/cert has no tls.key",
    ],
    [
      "no PEM",
      { secrets: [{ ...secret, data: { ...secret.data, "tls.crt": "bm8=" } }] },
      "Secret knative-serving/cert: tls.crt is not PEM that can be read",
    ],
    [
      "of two pairs",
      {
        secrets: [
          {
            ...secret,
            data: {
              ...secret.data,
              "tls.key": Buffer.from(makeAuthority(0).sign({ commonName: "o" }, "server", []).key).toString(
                "base64",
              ),
            },
          },
        ],
      },
      "Secret knative-serving/cert: tls.key is not the key of tls.crt",
    ],
  ])("keeps the last good certificate when the next is %s, and says so", (_name, more, what) => {
    const servers = [plainServer, tlsServer];
    const first = withGateway(servers).table;
    const input = { gateways: [gateway(ingress, servers)], ...more };
    const { table, problems } = compile([bound], input, first);
    const problem = {
      object: "Gateway knative-serving/knative-ingress-gateway",
      reason: "CertificateUnusable",
      message: `spec.servers[1].tls: ${what}`,
    };
    expect(problems).toEqual([{ ...problem, keptPrevious: true }]);
    expect(table.tls).toBe(first.tls);
    const never = compile([bound], input);
    expect(never.problems).toEqual([{ ...problem, keptPrevious: false }]);
    expect(never.table.tls).toEqual([]);
  });

  it("may name files; a folder of Istio's is the Secret mounted there, and may be missing", () => {
    const files = (folder: string) => [
      {
        ...tlsServer,
        tls: { mode: "SIMPLE", serverCertificate: `${folder}/tls.crt`, privateKey: `${folder}/tls.key` },
      },
    ];
    const istio = "/etc/istio/ingressgateway-certs";
    expect(withGateway(files(istio))).toMatchObject({ problems: [], table: { tls: [] } });
    const mounted = {
      ...secret,
      metadata: { name: "istio-ingressgateway-certs", namespace: "istio-system" },
    };
    expect(withGateway(files(istio), { secrets: [mounted] }).table.tls).toHaveLength(1);
    const readFile = (path: string) => (path.endsWith("crt") ? cert.cert : cert.key);
    expect(withGateway(files("/my"), { readFile }).table.tls).toHaveLength(1);
    expect(withGateway(files("/my")).problems).toMatchObject([
      { message: "spec.servers[0].tls: the file /my/tls.crt cannot be read" },
    ]);
  });

  it("sends plain requests to https where it says so, and keeps apart what only one of the two serves", () => {
    const { table } = withGateway([{ ...plainServer, tls: { httpsRedirect: true } }, tlsServer]);
    expect(ask(table, "v.x")).toMatchObject({
      kind: "redirect",
      redirected: { redirect: { scheme: "https", code: 301 } },
    });
    expect(name(ask(table, "v.x", "/", { secure: true }))).toBe("a");
    const secureOnly = compile([bound], {
      gateways: [gateway(ingress, [{ ...plainServer, hosts: ["*.y"] }, tlsServer])],
      secrets: [secret],
    }).table;
    expect(ask(secureOnly, "v.x")?.kind).toBe("noRule");
    expect(name(ask(secureOnly, "v.x", "/", { secure: true }))).toBe("a");
  });

  it("says by its ports which way a match means", () => {
    const { table } = compile(
      [rules({ match: [{ port: 443 }], ...to("a") }, { match: [{ scheme: { exact: "http" } }], ...to("b") })],
      {
        gateways: [gateway(ingress, [plainServer, tlsServer])],
        secrets: [secret],
      },
    );
    expect([true, false].map((secure) => name(ask(table, "v.x", "/", { secure })))).toEqual(["a", "b"]);
  });
});

describe("two authors of one host", () => {
  it("are served the older first, and the younger learns that nothing is left for it", () => {
    const aged = (key: string, day: number, rule: object): VirtualServiceInput => {
      const made = plain(key, ["v.x"], rule);
      return { ...made, metadata: { ...made.metadata, creationTimestamp: `2026-01-0${day}T00:00:00Z` } };
    };
    const { table, problems } = compile([aged("young", 2, to("b")), aged("old", 1, to("a"))]);
    expect(name(ask(table, "v.x"))).toBe("a");
    expect(problems[0]).toMatchObject({
      object: "VirtualService default/young",
      reason: "HostConflict",
      message: `VirtualService default/old, which is older, takes every request for host v.x at ${external}: no rule here is reached`,
    });
    const shared = compile([
      aged("young", 2, to("b")),
      aged("old", 1, { match: [{ uri: { prefix: "/old" } }], ...to("a") }),
    ]);
    expect(shared.problems).toEqual([]);
    expect(name(ask(shared.table, "v.x"))).toBe("b");
  });
});
