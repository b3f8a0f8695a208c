import { describe, expect, it } from "vitest";
import {
  endpoints,
  gateway,
  isvc,
  local,
  plain,
  plainServer,
  route,
  seedMesh,
  seedTop,
  service,
} from "../../../test/dataplane/testing.js";
import { compileRoutes } from "./compile.js";
import type { CompileInput } from "./inputs.js";
import { type Asked, findHost, matchRoute } from "./match.js";
import type { ListenerName, RouteTable } from "./table.js";

const revision = "sklearn-iris-predictor-default-fhmjk";

function compile(input: Partial<CompileInput>, previous?: RouteTable) {
  return compileRoutes({ virtualServices: [], services: [], endpoints: [], ...input }, previous);
}

function ask(
  table: RouteTable,
  listener: ListenerName,
  host: string,
  target = "/",
  more: { method?: string; headers?: Record<string, string>; roll?: number; secure?: boolean } = {},
) {
  const routes = findHost(table[listener], host);
  if (routes === undefined) return undefined;
  const asked: Asked = {
    host,
    method: more.method ?? "GET",
    target,
    secure: more.secure ?? false,
    header: (name) => more.headers?.[name],
  };
  return matchRoute(routes, asked, () => more.roll ?? 0);
}

const to = (host: string, port = 80) => ({ route: [{ destination: { host, port: { number: port } } }] });

describe("the debug guide's VirtualServices", () => {
  const { table, problems } = compile({
    virtualServices: [seedTop, seedMesh],
    services: [service(revision)],
    endpoints: [endpoints(revision, [9001, 9002])],
  });

  it("lead a prediction from the InferenceService's host to the revision's pods in one step", () => {
    const matched = ask(
      table,
      "local",
      "sklearn-iris.default.svc.cluster.local",
      "/v1/models/sklearn-iris:predict",
    );
    expect(matched).toMatchObject({
      kind: "forward",
      destination: {
        host: "sklearn-iris-predictor-default.default.svc.cluster.local",
        hash: "dee002f4a2db24e3827d8088b7ddacf3",
        timeoutMs: 600_000,
        chain: [
          "sklearn-iris.default.svc.cluster.local",
          "sklearn-iris-predictor-default.default.svc.cluster.local",
        ],
        revision: { name: revision, targets: [{ address: "127.0.0.1:9001" }, { address: "127.0.0.1:9002" }] },
      },
    });
  });

  it("take no other path on the top level, as the guide warns", () => {
    expect(ask(table, "local", "sklearn-iris.default.svc.cluster.local", "/v2/models/x")).toEqual({
      kind: "noRule",
    });
  });

  it("are reached by every short form of the host, any case, any port", () => {
    for (const host of [
      "sklearn-iris.default",
      "sklearn-iris.default.svc",
      "SKLEARN-iris.Default.svc.cluster.local:8080",
    ]) {
      expect(ask(table, "local", host, "/v1/models/sklearn-iris:predict")?.kind).toBe("forward");
    }
  });

  it("have an external expression that admits nobody, which is reported and not guessed at", () => {
    expect(ask(table, "external", "sklearn-iris.default.example.com")).toBeUndefined();
    expect(problems).toEqual([
      expect.objectContaining({
        object: "VirtualService default/sklearn-iris",
        reason: "UnreachableHost",
        message: expect.stringContaining("sklearn-iris.default.example.com is listed for external traffic"),
      }),
      expect.objectContaining({
        message: expect.stringContaining("example.com is listed for local traffic"),
      }),
    ]);
  });
});

describe("today's VirtualServices", () => {
  const input = {
    virtualServices: [
      isvc("iris"),
      route("iris-predictor", { "iris-predictor-00001": 90, "iris-predictor-00002": 10 }),
    ],
    services: [service("iris-predictor-00001"), service("iris-predictor-00002")],
    endpoints: [endpoints("iris-predictor-00001", [9001]), endpoints("iris-predictor-00002", [9002])],
  };
  const { table, problems } = compile({ ...input, hideFromPods: [] });

  it("split by weight at the end of the chain", () => {
    expect(problems).toEqual([]);
    const names = [0, 0.89, 0.91].map((roll) => {
      const matched = ask(table, "external", "iris.default.example.com:8081", "/v2/health/live", { roll });
      return matched?.kind === "forward" ? matched.destination.revision.name : matched?.kind;
    });
    expect(names).toEqual(["iris-predictor-00001", "iris-predictor-00001", "iris-predictor-00002"]);
  });

  it("add up the header operations of every hop", () => {
    const matched = ask(table, "external", "iris.default.example.com");
    expect(matched?.kind === "forward" && matched.destination.headers.lines).toEqual([
      ...["KServe-Isvc-Name", "iris", "KServe-Isvc-Namespace", "default", "K-Network-Hash", "hash-1"],
      ...["Knative-Serving-Namespace", "default", "Knative-Serving-Revision", "iris-predictor-00001"],
    ]);
  });

  it("keep from pods what Knative keeps from user code", () => {
    const matched = ask(compile(input).table, "external", "iris.default.example.com");
    const headers = matched?.kind === "forward" ? matched.destination.headers : undefined;
    expect(headers?.lines).toEqual(["KServe-Isvc-Name", "iris", "KServe-Isvc-Namespace", "default"]);
    expect([...(headers?.drop ?? [])]).toContain("knative-serving-revision");
  });

  it("are found by path where there is no DNS, but only what the listener may see", () => {
    expect(table.external.byPath.has("default/iris")).toBe(true);
    expect(table.external.byPath.has("default/iris-predictor")).toBe(false);
    expect(table.local.byPath.has("default/iris-predictor")).toBe(true);
  });

  it("name the version of the configuration for the prober", () => {
    expect(table.external.exact.get("iris.default.example.com")?.hash).toBe("hash-1");
  });
});

describe("rules", () => {
  const backend = {
    services: [service("a"), service("b")],
    endpoints: [endpoints("a", [1001]), endpoints("b", [1002])],
  };
  const name = (matched: ReturnType<typeof ask>) =>
    matched?.kind === "forward" ? matched.destination.revision.name : matched?.kind;

  it("match in order by path, verb and header", () => {
    const object = {
      metadata: { name: "v", namespace: "default" },
      spec: {
        gateways: ["mesh"],
        hosts: ["v.x"],
        http: [
          { match: [{ uri: { regex: "/v1/models/[\\w-]+:explain" } }], ...to("b") },
          {
            match: [{ method: { exact: "DELETE" } }, { headers: { "X-Who": { prefix: "me" } } }],
            ...to("b"),
          },
          { match: [{ uri: { exact: "/a" } }], ...to("a") },
        ],
      },
    };
    const { table } = compile({ virtualServices: [object], ...backend });
    expect(name(ask(table, "local", "v.x", "/v1/models/m:explain?x=1"))).toBe("b");
    expect(name(ask(table, "local", "v.x", "/v1/models/m:explain/more"))).toBe("noRule");
    expect(name(ask(table, "local", "v.x", "/a?q"))).toBe("a");
    expect(name(ask(table, "local", "v.x", "/a", { method: "DELETE" }))).toBe("b");
    expect(name(ask(table, "local", "v.x", "/a", { headers: { "x-who": "melon" } }))).toBe("b");
  });

  it("rewrite prefixes, whole paths and captures", () => {
    const object = {
      metadata: { name: "v", namespace: "default" },
      spec: {
        gateways: ["mesh"],
        hosts: ["v.x"],
        http: [
          {
            match: [{ uri: { regex: "/p/.*:explain" } }],
            rewrite: { uriRegexRewrite: { match: "/p(/v1/.*:explain)$", rewrite: "\\1" } },
            ...to("b"),
          },
          { match: [{ uri: { prefix: "/p/" } }], rewrite: { uri: "/" }, ...to("a") },
          { rewrite: { uri: "/all" }, ...to("a") },
        ],
      },
    };
    const { table } = compile({ virtualServices: [object], ...backend });
    const target = (path: string) => {
      const matched = ask(table, "local", "v.x", path);
      return matched?.kind === "forward" ? matched.target : undefined;
    };
    expect(target("/p/v1/m:explain")).toBe("/v1/m:explain");
    expect(target("/p/v2/x?y=1")).toBe("/v2/x?y=1");
    expect(target("/else?y=1")).toBe("/all?y=1");
  });

  it("decide by headers set on the way before a request comes", () => {
    const outer = plain("outer", ["tag.x"], {
      route: [
        {
          destination: { host: "knative-local-gateway.istio-system.svc.cluster.local" },
          headers: { request: { set: { Host: "inner.x", "Knative-Serving-Tag": "blue" } } },
        },
      ],
    });
    const inner = {
      metadata: { name: "inner", namespace: "default" },
      spec: {
        gateways: [local],
        hosts: ["inner.x"],
        http: [
          { match: [{ headers: { "Knative-Serving-Tag": { exact: "green" } } }], ...to("a") },
          { match: [{ headers: { "Knative-Serving-Tag": { exact: "blue" } } }], ...to("b") },
        ],
      },
    };
    const { table } = compile({ virtualServices: [outer, inner], ...backend });
    expect(name(ask(table, "local", "tag.x"))).toBe("b");
    expect(name(ask(table, "local", "inner.x", "/", { headers: { "knative-serving-tag": "green" } }))).toBe(
      "a",
    );
    expect(name(ask(table, "local", "inner.x"))).toBe("noRule");
  });

  it("follow a DomainMapping through its ExternalName Service", () => {
    const mapping = plain("mapping", ["models.example.org"], {
      rewrite: { authority: "iris.default.svc.cluster.local" },
      ...to("iris"),
    });
    const alias = {
      metadata: { name: "iris", namespace: "default" },
      spec: { type: "ExternalName", externalName: "knative-local-gateway.istio-system.svc.cluster.local" },
    };
    const { table, problems } = compile({
      virtualServices: [mapping, isvc("iris"), route("iris-predictor", { a: 100 })],
      services: [alias, ...backend.services],
      endpoints: backend.endpoints,
    });
    expect(problems).toEqual([]);
    const matched = ask(table, "external", "models.example.org");
    expect(matched?.kind === "forward" && matched.destination.chain).toEqual([
      "models.example.org",
      "iris.default.svc.cluster.local",
      "iris-predictor.default.svc.cluster.local",
    ]);
  });

  it("serve wildcard hosts, the longest first", () => {
    const objects = [
      plain("all", ["*"], to("a")),
      plain("some", ["*.x"], to("a")),
      plain("few", ["*.y.x"], to("b")),
    ];
    const { table } = compile({ virtualServices: objects, ...backend });
    expect(name(ask(table, "external", "m.y.x"))).toBe("b");
    expect(name(ask(table, "external", "m.x"))).toBe("a");
    expect(name(ask(table, "external", "other"))).toBe("a");
  });

  it("know a pod that speaks HTTP/2 by its port", () => {
    const services = [
      service("a", 80, "h2c"),
      service("b", 80, "http", { appProtocol: "kubernetes.io/h2c" }),
    ];
    const { table } = compile({
      virtualServices: [plain("v", ["v.x"], to("a")), plain("w", ["w.x"], to("b"))],
      services,
      endpoints: [endpoints("a", [1], "h2c"), endpoints("b", [1])],
    });
    for (const host of ["v.x", "w.x"]) {
      expect(ask(table, "local", host)).toMatchObject({ destination: { revision: { protocol: "h2c" } } });
    }
  });

  it("fall back on the private twin of a Service without Endpoints of its own", () => {
    const { table } = compile({
      virtualServices: [plain("v", ["v.x"], to("a"))],
      services: [service("a")],
      endpoints: [endpoints("a-private", [1003])],
    });
    expect(ask(table, "local", "v.x")).toMatchObject({
      destination: { revision: { targets: [{ address: "127.0.0.1:1003" }] } },
    });
  });
});

describe("what cannot be served", () => {
  const back = (name: string, host: string, next: string) =>
    plain(name, [host], {
      route: [
        {
          destination: { host: "knative-local-gateway.istio-system.svc.cluster.local" },
          headers: { request: { set: { Host: next } } },
        },
      ],
    });

  it("is a chain that comes back to itself, told with its hosts", () => {
    const { table, problems } = compile({
      virtualServices: [back("a", "a.x", "b.x"), back("b", "b.x", "a.x")],
    });
    expect(ask(table, "local", "a.x")).toEqual({
      kind: "deadEnd",
      status: 508,
      reason: "RouteLoop",
      message: "the chain of routes comes back to itself: a.x -> b.x -> a.x",
    });
    expect(problems.map((problem) => problem.reason)).toContain("RouteLoop");
  });

  it("is a chain longer than anyone writes", () => {
    const objects = Array.from({ length: 12 }, (_, index) =>
      back(`v${index}`, `h${index}.x`, `h${index + 1}.x`),
    );
    expect(ask(compile({ virtualServices: objects }).table, "local", "h0.x")).toMatchObject({ status: 508 });
  });

  it("is a chain whose next host nobody serves", () => {
    const { table, problems } = compile({ virtualServices: [back("a", "a.x", "gone.x")] });
    expect(ask(table, "local", "a.x")).toMatchObject({ status: 404, reason: "NoRoute" });
    expect(problems[0]).toMatchObject({ reason: "ChainBroken", message: expect.stringContaining("gone.x") });
  });

  it("is a destination without a Service, or without that port", () => {
    const { table } = compile({
      virtualServices: [plain("v", ["v.x"], to("nope")), plain("w", ["w.x"], to("a", 81))],
      services: [service("a")],
    });
    expect(ask(table, "local", "v.x")).toMatchObject({
      status: 503,
      message: "there is no Service default/nope",
    });
    expect(ask(table, "local", "w.x")).toMatchObject({
      status: 503,
      message: expect.stringContaining("has no port 81"),
    });
  });

  it("fans out without end", () => {
    const wide = (name: string, host: string, next: string) =>
      plain(name, [host], {
        route: Array.from({ length: 40 }, () => ({
          destination: { host: "knative-local-gateway.istio-system.svc.cluster.local" },
          headers: { request: { set: { Host: next } } },
          weight: 1,
        })),
      });
    const leaf = plain("leaf", ["leaf.x"], to("a"));
    const input = {
      virtualServices: [wide("w", "w.x", "v.x"), wide("v", "v.x", "leaf.x"), leaf],
      services: [service("a")],
    };
    expect(ask(compile(input).table, "local", "w.x", "/", { roll: 0.999 })).toMatchObject({ status: 508 });
  });

  it.each([
    [
      "a regular expression that is none",
      { match: [{ uri: { regex: "(" } }] },
      "spec.http[0].match[0].uri.regex",
    ],
    ["one that is too long", { match: [{ authority: { regex: "a".repeat(2000) } }] }, "longer than"],
    ["a condition unknown here", { match: [{ sourceLabels: { a: "b" } }] }, "match[0].sourceLabels"],
    [
      "a header that would break the line",
      { headers: { request: { set: { "X-A": "b\r\nc" } } } },
      "control characters",
    ],
    [
      "a header that frames the message",
      { headers: { request: { set: { "Content-Length": "3" } } } },
      "frames the message",
    ],
    ["a timeout that is no duration", { timeout: "soon" }, "spec.http[0].timeout"],
    [
      "weights of nothing",
      { route: [{ destination: { host: "a" }, weight: 0 }, { destination: { host: "b" } }] },
      "weights",
    ],
    ["a host with a path", { route: [{ destination: { host: "a/b" } }] }, "is not a host name"],
  ])("is %s: the last good routes stay, and the reason is told", (_, broken, message) => {
    const backend = { services: [service("a")], endpoints: [endpoints("a", [1])] };
    const good = compile({ virtualServices: [plain("v", ["v.x"], to("a"))], ...backend });
    const bad = plain("v", ["v.x"], { ...to("a"), ...broken });
    const kept = compile({ virtualServices: [bad], ...backend }, good.table);
    expect(kept.problems).toEqual([
      {
        object: "VirtualService default/v",
        reason: expect.any(String),
        message: expect.stringContaining(message),
        keptPrevious: true,
      },
    ]);
    expect(ask(kept.table, "local", "v.x")?.kind).toBe("forward");
    const never = compile({ virtualServices: [bad], ...backend });
    expect(never.problems[0]?.keptPrevious).toBe(false);
    expect(ask(never.table, "local", "v.x")).toBeUndefined();
  });

  it("is bound to a Gateway that does not exist", () => {
    const input = {
      virtualServices: [plain("v", ["v.x"], to("a"))],
      services: [service("a")],
      gateways: [gateway("other", [plainServer])],
    };
    const { table, problems } = compile(input);
    expect(problems).toEqual([expect.objectContaining({ reason: "GatewayMissing" })]);
    expect(ask(table, "external", "v.x")).toBeUndefined();
    expect(ask(table, "local", "v.x")?.kind).toBe("forward");
  });

  it("is told again by a compilation that took it over", () => {
    const objects = [back("a", "a.x", "gone.x"), plain("v", ["v.x"], to("a"))];
    const first = compile({ virtualServices: objects });
    const second = compile({ virtualServices: objects }, first.table);
    expect(second.problems).toEqual(first.problems);
    expect(second.table.local.exact.get("a.x")).toBe(first.table.local.exact.get("a.x"));
  });

  it("is made anew when anything on its way changes, and only then", () => {
    const objects = [
      isvc("a"),
      route("a-predictor", { r1: 100 }),
      isvc("b"),
      route("b-predictor", { r2: 100 }),
    ];
    const services = [service("r1"), service("r2")];
    const pods = [endpoints("r1", [1]), endpoints("r2", [2])];
    const input = { virtualServices: objects, services, endpoints: pods };
    const first = compile(input).table;
    const address = (table: RouteTable, host: string) => {
      const matched = ask(table, "external", `${host}.default.example.com`);
      return matched?.kind === "forward" ? matched.destination.revision.targets[0]?.address : matched;
    };
    const moved = compile({ ...input, endpoints: [endpoints("r1", [9]), pods[1]!] }, first).table;
    expect([address(moved, "a"), address(moved, "b")]).toEqual(["127.0.0.1:9", "127.0.0.1:2"]);
    expect(moved.external.exact.get("b.default.example.com")).toBe(
      first.external.exact.get("b.default.example.com"),
    );

    const rerouted = [objects[0]!, route("a-predictor", { r2: 100 }), objects[2]!, objects[3]!];
    expect(address(compile({ ...input, virtualServices: rerouted }, moved).table, "a")).toBe("127.0.0.1:2");
    expect(address(compile({ ...input, services: [services[1]!] }, moved).table, "a")).toMatchObject({
      reason: "NoService",
    });
    const broken = compile({ ...input, virtualServices: [objects[0]!] }, first).table;
    expect(address(broken, "a")).toMatchObject({ reason: "NoRoute" });
    expect(address(compile(input, broken).table, "a")).toBe("127.0.0.1:1");
  });

  it("disappears with its object", () => {
    const first = compile({ virtualServices: [plain("v", ["v.x"], to("a"))], services: [service("a")] });
    expect(ask(compile({}, first.table).table, "local", "v.x")).toBeUndefined();
  });
});
