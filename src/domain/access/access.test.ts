// Policies as tables, and what must hold of any of them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClusterRbacConfig, ServiceRole, ServiceRoleBinding } from "../apis/istio/rbac.types.js";
import type { AuthorizationPolicy, PolicyRule } from "../apis/istio/security.types.js";
import {
  type AccessRequest,
  anonymous,
  compilePolicy,
  decideAccess,
  onGateway,
  onWorkload,
  type Policy,
  rbacPolicies,
  readings,
} from "./index.js";

type Asked = Partial<Omit<AccessRequest, "headers">> & {
  readonly with?: { readonly [name: string]: string | readonly string[] };
};

function request({ with: fields = {}, ...more }: Asked = {}): AccessRequest {
  return {
    caller: anonymous,
    ip: "10.1.2.3",
    host: "iris.models.example.com",
    method: "POST",
    path: "/v1/models/iris:predict",
    port: 80,
    services: ["iris-predictor-00001.models.svc.cluster.local"],
    headers: (name) => [fields[name] ?? []].flat(),
    ...more,
  };
}

function policy(rule: PolicyRule, action = "ALLOW", name = "p"): Policy {
  const object = { metadata: { namespace: "models", name }, spec: { action, rules: [rule] } };
  return compilePolicy(object as unknown as AuthorizationPolicy) as Policy;
}

const from = (source: NonNullable<NonNullable<PolicyRule["from"]>[number]["source"]>) => ({
  from: [{ source }],
});
const to = (operation: NonNullable<NonNullable<PolicyRule["to"]>[number]["operation"]>) => ({
  to: [{ operation }],
});
const when = (key: string, values?: readonly string[], notValues?: readonly string[]) => ({
  when: [{ key, values, notValues }],
});
const alice = {
  requestPrincipal: "https://issuer/alice",
  claims: {
    sub: "alice",
    aud: ["models"],
    azp: "app",
    scope: "read write",
    groups: ["ml", "ops"],
    org: { team: "a" },
    level: 3,
  },
};

describe("a rule matches", () => {
  it.each<[string, PolicyRule, Asked, boolean]>([
    ["everything when it asks nothing", {}, {}, true],
    ["a method", to({ methods: ["GET", "POST"] }), {}, true],
    ["no other method", to({ methods: ["GET"] }), {}, false],
    ["by prefix", to({ paths: ["/v1/models/*"] }), {}, true],
    ["by suffix", to({ paths: ["*:predict"] }), {}, true],
    ["by template", to({ paths: ["/v1/models/{*}"] }), {}, true],
    ["by template of many", to({ paths: ["/v1/{**}"] }), { path: "/v1/a/b/c" }, true],
    [
      "a template's segment only when there is one",
      to({ paths: ["/v1/models/{*}"] }),
      { path: "/v1/models/" },
      false,
    ],
    ["no path that is excluded", to({ paths: ["/v1/*"], notPaths: ["/v1/models/iris*"] }), {}, false],
    ["a host in any case", to({ hosts: ["IRIS.models.example.com"] }), {}, true],
    ["a host by its ending", to({ hosts: ["*.example.com"] }), {}, true],
    ["no host that is excluded", to({ notHosts: ["*.example.com"] }), {}, false],
    ["a port", to({ ports: ["80"] }), {}, true],
    ["no other port", to({ notPorts: ["80"] }), {}, false],
    ["anybody who is known", from({ requestPrincipals: ["*"] }), { caller: alice }, true],
    ["nobody unknown as known", from({ requestPrincipals: ["*"] }), {}, false],
    ["whoever is not known", from({ notRequestPrincipals: ["*"] }), {}, true],
    ["by issuer", from({ requestPrincipals: ["https://issuer/*"] }), { caller: alice }, true],
    ["no peer, as nothing proves one", from({ principals: ["*"] }), {}, false],
    ["no namespace, as nothing proves one", from({ namespaces: ["models"] }), {}, false],
    ["whoever is not in a namespace", from({ notNamespaces: ["models"] }), {}, true],
    ["an address", from({ ipBlocks: ["10.1.2.3"] }), {}, true],
    ["a block", from({ ipBlocks: ["10.1.0.0/16"] }), {}, true],
    ["no other block", from({ ipBlocks: ["10.2.0.0/16"] }), {}, false],
    ["no block that is excluded", from({ notRemoteIpBlocks: ["10.0.0.0/8"] }), {}, false],
    ["a v6 block", from({ ipBlocks: ["2001:db8::/32"] }), { ip: "2001:db8:1::5" }, true],
    ["a v4 address told as v6", from({ ipBlocks: ["127.0.0.0/8"] }), { ip: "::ffff:127.0.0.1" }, true],
    ["a header", when("request.headers[x-tier]", ["gold"]), { with: { "x-tier": "gold" } }, true],
    [
      "a header's name in any case",
      when("request.headers[X-Tier]", ["gold"]),
      { with: { "x-tier": "gold" } },
      true,
    ],
    [
      "any of several values",
      when("request.headers[x-tier]", ["gold"]),
      { with: { "x-tier": ["lead", "gold"] } },
      true,
    ],
    ["no header that is not there", when("request.headers[x-tier]", ["*"]), {}, false],
    ["whoever lacks a header", when("request.headers[x-tier]", undefined, ["gold"]), {}, true],
    ["a claim", when("request.auth.claims[sub]", ["alice"]), { caller: alice }, true],
    ["a claim in a list", when("request.auth.claims[groups]", ["ml"]), { caller: alice }, true],
    ["a word of a scope", when("request.auth.claims[scope]", ["write"]), { caller: alice }, true],
    ["a claim within one", when("request.auth.claims[org][team]", ["a"]), { caller: alice }, true],
    ["a number", when("request.auth.claims[level]", ["3"]), { caller: alice }, true],
    [
      "nothing of an object's nature",
      when("request.auth.claims[constructor]", ["*"]),
      { caller: alice },
      false,
    ],
    ["an audience", when("request.auth.audiences", ["models"]), { caller: alice }, true],
    ["a presenter", when("request.auth.presenter", ["app"]), { caller: alice }, true],
    ["a principal by condition", when("request.auth.principal", ["*/alice"]), { caller: alice }, true],
    ["an address by condition", when("source.ip", ["10.1.2.0/24"]), {}, true],
    ["a port by condition", when("destination.port", ["443"]), {}, false],
    [
      "only what all parts match",
      { ...to({ methods: ["POST"] }), ...from({ requestPrincipals: ["*"] }) },
      {},
      false,
    ],
    [
      "one of several sources",
      { from: [{ source: { ipBlocks: ["1.1.1.1"] } }, { source: { ipBlocks: ["10.0.0.0/8"] } }] },
      {},
      true,
    ],
  ])("%s", (_, rule, asked, matches) => {
    expect(policy(rule).matches(request(asked))).toBe(matches);
  });
});

describe("policies together", () => {
  const getOnly = policy(to({ methods: ["GET"] }), "ALLOW", "get");
  const postOnly = policy(to({ methods: ["POST"] }), "ALLOW", "post");
  const noAdmin = policy(to({ paths: ["/admin*"] }), "DENY", "no-admin");

  it("let everything pass when there are none, or only such as deny something else", () => {
    expect(decideAccess([], request())).toMatchObject({ allowed: true });
    expect(decideAccess([noAdmin], request())).toMatchObject({ allowed: true });
  });

  it("need one that allows, once there is any", () => {
    expect(decideAccess([getOnly], request())).toEqual({
      allowed: false,
      by: "AuthorizationPolicy models/get",
      because: "no rule allows this request",
    });
    expect(decideAccess([getOnly, postOnly], request())).toMatchObject({ allowed: true });
  });

  it("close everything when one allows nothing", () => {
    const nothing = compilePolicy({
      metadata: { namespace: "models", name: "nobody" },
      spec: {},
    } as never) as Policy;
    expect(decideAccess([nothing], request())).toMatchObject({
      allowed: false,
      by: "AuthorizationPolicy models/nobody",
    });
  });

  it("do not take AUDIT for more than it is", () => {
    const audit = policy({}, "AUDIT", "seen");
    expect(decideAccess([audit], request())).toEqual({
      allowed: true,
      audited: ["AuthorizationPolicy models/seen"],
    });
    expect(decideAccess([audit, getOnly], request())).toMatchObject({ allowed: false });
  });

  const anyRule: fc.Arbitrary<PolicyRule> = fc.record(
    {
      from: fc.array(
        fc.record({
          source: fc.record(
            {
              ipBlocks: fc.constantFrom(["10.0.0.0/8"], ["1.1.1.1"]),
              requestPrincipals: fc.constantFrom(["*"], ["https://issuer/*"]),
            },
            { requiredKeys: [] },
          ),
        }),
        { minLength: 1, maxLength: 2 },
      ),
      to: fc.array(
        fc.record({
          operation: fc.record(
            { methods: fc.constantFrom(["GET"], ["POST"]), notPaths: fc.constantFrom(["/v1/*"], ["/admin"]) },
            { requiredKeys: [] },
          ),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    },
    { requiredKeys: [] },
  );
  const anyPolicies = fc.array(
    fc
      .tuple(anyRule, fc.constantFrom("ALLOW", "DENY", "AUDIT"))
      .map(([rule, action]) => policy(rule, action)),
    { maxLength: 6 },
  );
  const anyRequest = fc
    .record({
      caller: fc.constantFrom(anonymous, alice),
      ip: fc.constantFrom("10.0.0.1", "1.1.1.1", "::1"),
      method: fc.constantFrom("GET", "POST"),
      path: fc.constantFrom("/v1/models/iris:predict", "/admin", "/"),
    })
    .map(request);

  it("refuse whatever one of them denies, whatever the others allow", () => {
    fc.assert(
      fc.property(anyPolicies, anyRequest, (policies, asked) => {
        const denied = policies.some(({ action, matches }) => action === "DENY" && matches(asked));
        fc.pre(denied);
        expect(decideAccess(policies, asked).allowed).toBe(false);
      }),
    );
  });

  it("decide the same in whatever order they come", () => {
    fc.assert(
      fc.property(anyPolicies, anyRequest, fc.infiniteStream(fc.nat()), (policies, asked, dice) => {
        const shuffled = policies
          .map((one) => ({ one, at: dice.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        expect(decideAccess(shuffled, asked).allowed).toBe(decideAccess(policies, asked).allowed);
      }),
    );
  });
});

describe("a path may be read as", () => {
  it.each([
    ["/v1/models/iris", ["/v1/models/iris"]],
    ["/%61dmin", ["/%61dmin", "/admin"]],
    ["//admin", ["//admin", "/admin"]],
    ["/public/..%2fadmin", ["/public/..%2fadmin", "/admin"]],
    ["/public\\..\\admin", ["/public\\..\\admin", "/admin"]],
    ["/admin;x=1/keys", ["/admin;x=1/keys", "/admin/keys"]],
  ])("%s", (path, want) => {
    expect(readings(path)).toEqual(expect.arrayContaining(want));
  });
});

describe("a policy applies", () => {
  const at = (namespace: string, matchLabels?: { readonly [key: string]: string }) => ({
    metadata: { namespace },
    spec: matchLabels === undefined ? {} : { selector: { matchLabels } },
  });
  it.each<[string, ReturnType<typeof at>, [external: boolean, local: boolean, workload: boolean]]>([
    ["everywhere from the root namespace", at("istio-system"), [true, true, true]],
    [
      "to the ingress gateway by its label",
      at("istio-system", { istio: "ingressgateway" }),
      [true, false, false],
    ],
    [
      "to the local gateway by its label",
      at("istio-system", { istio: "cluster-local-gateway" }),
      [false, true, false],
    ],
    ["to workloads of any namespace by label", at("istio-system", { model: "iris" }), [false, false, true]],
    ["to its namespace", at("models"), [false, false, true]],
    ["to no other namespace", at("other"), [false, false, false]],
    ["to no gateway from elsewhere", at("models", { istio: "ingressgateway" }), [false, false, false]],
    ["to those whose labels it selects", at("models", { model: "iris" }), [false, false, true]],
    ["to none whose labels differ", at("models", { model: "cat" }), [false, false, false]],
  ])("%s", (_, scoped, [external, local, workload]) => {
    expect(onGateway(scoped, "external")).toBe(external);
    expect(onGateway(scoped, "local")).toBe(local);
    expect(onWorkload(scoped, "models", { model: "iris", app: "iris-1" })).toBe(workload);
  });
});

describe("ClusterRbacConfig", () => {
  const config = (spec: object, name = "default") =>
    ({ metadata: { name }, spec }) as unknown as ClusterRbacConfig;
  const role = {
    metadata: { namespace: "models", name: "predict" },
    spec: { rules: [{ services: ["*"], methods: ["POST"], paths: ["*:predict"] }] },
  } as unknown as ServiceRole;
  const binding = (user: string) =>
    ({
      metadata: { namespace: "models", name: "b" },
      spec: { subjects: [{ user }], roleRef: { kind: "ServiceRole", name: "predict" } },
    }) as unknown as ServiceRoleBinding;
  const allowed = (spec: object, bindings: readonly ServiceRoleBinding[] = [], asked: Asked = {}) =>
    decideAccess(rbacPolicies({ configs: [config(spec)], roles: [role], bindings }, "models"), request(asked))
      .allowed;

  it.each<[string, object, boolean]>([
    ["is off unless said", {}, true],
    ["off", { mode: "OFF" }, true],
    ["on closes what no binding opens", { mode: "ON" }, false],
    [
      "on with inclusion of the namespace",
      { mode: "ON_WITH_INCLUSION", inclusion: { namespaces: ["models"] } },
      false,
    ],
    ["on with inclusion of another", { mode: "ON_WITH_INCLUSION", inclusion: { namespaces: ["x"] } }, true],
    [
      "on with inclusion of the service",
      {
        mode: "ON_WITH_INCLUSION",
        inclusion: { services: ["iris-predictor-00001.models.svc.cluster.local"] },
      },
      false,
    ],
    [
      "on with exclusion of the namespace",
      { mode: "ON_WITH_EXCLUSION", exclusion: { namespaces: ["models"] } },
      true,
    ],
    ["on with exclusion of another", { mode: "ON_WITH_EXCLUSION", exclusion: { namespaces: ["x"] } }, false],
    ["permissive closes nothing", { mode: "ON", enforcementMode: "PERMISSIVE" }, true],
  ])("%s", (_, spec, want) => {
    expect(allowed(spec)).toBe(want);
  });

  it("opens what a binding opens, to whom it names", () => {
    expect(allowed({ mode: "ON" }, [binding("*")])).toBe(true);
    expect(allowed({ mode: "ON" }, [binding("*")], { method: "GET" })).toBe(false);
    expect(allowed({ mode: "ON" }, [binding("https://issuer/alice")])).toBe(false);
    expect(allowed({ mode: "ON" }, [binding("https://issuer/alice")], { caller: alice })).toBe(true);
  });

  it("is the one named default", () => {
    const policies = rbacPolicies(
      { configs: [config({ mode: "ON" }, "other")], roles: [], bindings: [] },
      "models",
    );
    expect(policies).toEqual([]);
  });
});
