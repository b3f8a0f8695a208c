// The guard in a real gateway: real sockets, tokens signed here, and an issuer that publishes its keys over HTTP.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ask,
  echo,
  endpoints,
  isvc,
  portOf,
  route,
  service,
  World,
} from "../../../test/dataplane/testing.js";
import { systemClock } from "../../adapters/clock/index.js";
import { jwtVerifier } from "../../adapters/jwt/index.js";
import type { Clock } from "../../ports/index.js";
import { compileRoutes } from "./compile.js";
import { compileGuard } from "./guard.js";
import type { GuardInput } from "./guardInputs.js";

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
const issuer = "https://issuer.example.com";
let first: Pair;
let second: Pair;
beforeAll(async () => {
  [first, second] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
});

let world: World;
let clock: Clock & { pass(ms: number): void };
let told: string[];
beforeEach(() => {
  world = new World();
  told = [];
  const system = systemClock();
  let aheadMs = 0;
  clock = {
    ...system,
    now: () => system.now() + aheadMs,
    pass: (ms) => {
      aheadMs += ms;
    },
  };
});
afterEach(() => world.dispose());

async function publicKey(pair: Pair, kid: string): Promise<object> {
  return { ...(await exportJWK(pair.publicKey)), kid, alg: "ES256", use: "sig" };
}

interface Claims {
  readonly sub?: string;
  readonly aud?: string;
  readonly [more: string]: unknown;
}

function token(pair: Pair, kid: string, claims: Claims = {}, inSeconds = 600): Promise<string> {
  const nowSeconds = Math.floor(clock.now() / 1000);
  return new SignJWT({ sub: "alice", ...claims })
    .setProtectedHeader({ alg: "ES256", kid })
    .setIssuer(issuer)
    .setIssuedAt(nowSeconds - 3_600)
    .setExpirationTime(nowSeconds + inSeconds)
    .sign(pair.privateKey);
}

/** An issuer whose keys change, and that may be out. */
async function publisher(keys: readonly object[]) {
  const state = { keys, out: false, asked: 0, uri: "" };
  const server = createServer((_, response) => {
    state.asked += 1;
    if (state.out) response.writeHead(503).end();
    else
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ keys: state.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  state.uri = `http://127.0.0.1:${portOf(server)}/keys`;
  return state;
}

const nothing: GuardInput = {
  authentications: [],
  policies: [],
  rbac: { configs: [], roles: [], bindings: [] },
  secrets: [],
  revisions: [{ metadata: { namespace: "default", name: "r1", labels: { model: "iris" } } }],
  services: [],
};

async function guarded(input: { readonly [part in keyof GuardInput]?: unknown }): Promise<number> {
  const { table } = compileRoutes({
    virtualServices: [isvc("iris"), route("iris-predictor", { r1: 100 })],
    services: [service("r1")],
    endpoints: [endpoints("r1", [await world.pod(echo)])],
  });
  const log = { info: () => {}, error: (message: string) => void told.push(message) };
  const guard = compileGuard({ ...nothing, ...input } as GuardInput, jwtVerifier(clock, log as never));
  const { port } = await world.start({ ...table, guard });
  return port;
}

const host = "iris.default.example.com";

interface Told {
  readonly status: number;
  readonly reason: unknown;
  readonly policy: unknown;
  readonly challenge: unknown;
  readonly location: unknown;
  readonly hash: unknown;
  readonly error: string;
  /** What the pod saw. */
  readonly seen: { readonly headers: { readonly [name: string]: string }; readonly url: string };
}

async function predict(
  port: number,
  headers: { readonly [name: string]: string | readonly string[] } = {},
  { path = "/v1/models/iris:predict", method = "POST" } = {},
): Promise<Told> {
  const heard = await ask(port, { method, path, headers: { host, ...headers } as never });
  const body = heard.body.startsWith("{") ? JSON.parse(heard.body) : {};
  return {
    status: heard.status,
    reason: heard.headers["x-drydock-reason"],
    policy: heard.headers["x-drydock-policy"],
    challenge: heard.headers["www-authenticate"],
    location: heard.headers.location,
    hash: heard.headers["k-network-hash"],
    error: body.error,
    seen: body,
  };
}

const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

function authentication(rule: object, annotations: object = {}, namespace = "default") {
  return {
    metadata: { namespace, name: "tokens", annotations },
    spec: { jwtRules: [{ issuer, ...rule }] },
  };
}

function policy(spec: object, namespace = "default", name = "people") {
  return { metadata: { namespace, name }, spec };
}

const required = { "drydock.dev/require-jwt": "true" };

describe("a RequestAuthentication", () => {
  it("refuses bad tokens in Envoy's words, and lets none at all pass", async () => {
    const jwks = JSON.stringify({ keys: [await publicKey(first, "one")] });
    const port = await guarded({ authentications: [authentication({ jwks, audiences: ["models"] })] });
    const good = await token(first, "one", { aud: "models" });
    expect(await predict(port)).toMatchObject({ status: 200 });
    expect(await predict(port, bearer(good))).toMatchObject({ status: 200 });

    const refusals: readonly [string, number, string][] = [
      [await token(second, "one", { aud: "models" }), 401, "Jwt verification fails"],
      [await token(first, "one", { aud: "models" }, -3_600), 401, "Jwt is expired"],
      [await token(first, "one", { aud: "else" }), 403, "Audiences in Jwt are not allowed"],
      [
        await token(first, "two", { aud: "models" }),
        401,
        "Jwks doesn't have key to match kid or alg from Jwt",
      ],
      ["what", 401, "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"],
      ["a.b.c", 401, "Jwt payload is an invalid JSON"],
    ];
    for (const [text, status, because] of refusals) {
      const heard = await predict(port, bearer(text));
      expect(heard).toMatchObject({
        status,
        reason: "BadCredentials",
        policy: "RequestAuthentication default/tokens",
        error: `${because} (RequestAuthentication default/tokens)`,
      });
      if (status === 401)
        expect(heard.challenge).toBe(
          `Bearer realm="http://${host}/v1/models/iris:predict", error="invalid_token"`,
        );
    }
  });

  it("takes no token that is not signed, or signed with the public key", async () => {
    const jwk = await publicKey(first, "one");
    const port = await guarded({
      authentications: [authentication({ jwks: JSON.stringify({ keys: [jwk] }) })],
    });
    const [, payload = ""] = (await token(first, "one")).split(".");
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${payload}.`;
    expect(await predict(port, bearer(unsigned))).toMatchObject({ status: 401 });
    const secret = createHash("sha256").update(JSON.stringify(jwk)).digest();
    const confused = await new SignJWT({ sub: "mallory" })
      .setProtectedHeader({ alg: "HS256", kid: "one" })
      .setIssuer(issuer)
      .setExpirationTime("1h")
      .sign(secret);
    expect(await predict(port, bearer(confused))).toMatchObject({ status: 401 });
  });

  it("lets pods have what tokens prove, and not the tokens", async () => {
    const jwks = JSON.stringify({ keys: [await publicKey(first, "one")] });
    const rule = {
      jwks,
      fromHeaders: [{ name: "x-token", prefix: "JWT " }],
      fromParams: ["token"],
      outputPayloadToHeader: "x-payload",
      outputClaimToHeaders: [{ header: "x-user", claim: "sub" }],
    };
    const port = await guarded({ authentications: [authentication(rule)] });
    const good = await token(first, "one");
    const { seen } = await predict(port, {
      "x-token": `JWT ${good}`,
      "x-user": "root",
      "x-payload": "forged",
    });
    expect(seen.headers["x-user"]).toBe("alice");
    expect(JSON.parse(Buffer.from(seen.headers["x-payload"] ?? "", "base64url").toString())).toMatchObject({
      iss: issuer,
    });
    expect(seen.headers).not.toHaveProperty("x-token");

    const path = `/v1/models/iris:predict?a=1&token=${good}&b=2`;
    expect((await predict(port, {}, { path })).seen.url).toBe("/v1/models/iris:predict?a=1&b=2");
    // Without a token nobody may say who somebody is.
    expect((await predict(port, { "x-user": "root" })).seen.headers).not.toHaveProperty("x-user");

    const open = await guarded({
      authentications: [authentication({ ...rule, forwardOriginalToken: true })],
    });
    expect((await predict(open, { "x-token": `JWT ${good}` })).seen.headers["x-token"]).toBe(`JWT ${good}`);
  });

  it("asks an issuer for keys once, again for a key it does not know, and not again and again", async () => {
    const issuerOf = await publisher([await publicKey(first, "one")]);
    const port = await guarded({ authentications: [authentication({ jwksUri: issuerOf.uri })] });
    const early = await token(first, "one");
    await Promise.all([1, 2, 3].map(() => predict(port, bearer(early))));
    expect(issuerOf.asked).toBe(1);

    issuerOf.keys = [await publicKey(first, "one"), await publicKey(second, "two")];
    clock.pass(10_000);
    const late = await token(second, "two");
    expect(await predict(port, bearer(late))).toMatchObject({ status: 200 });
    expect(issuerOf.asked).toBe(2);

    for (let count = 0; count < 5; count += 1) {
      const madeUp = await token(second, `made-up-${count}`);
      expect(await predict(port, bearer(madeUp))).toMatchObject({ status: 401 });
    }
    expect(issuerOf.asked).toBe(2);
  });

  it("serves on by the keys it has while the issuer is out; without any it says so, and to its operator why", async () => {
    const issuerOf = await publisher([await publicKey(first, "one")]);
    issuerOf.out = true;
    const port = await guarded({ authentications: [authentication({ jwksUri: issuerOf.uri })] });
    const good = await token(first, "one");
    expect(await predict(port, bearer(good))).toMatchObject({
      status: 401,
      error: "Jwks remote fetch is failed (RequestAuthentication default/tokens)",
    });
    expect(told).toEqual(["the keys of an issuer could not be fetched"]);
    issuerOf.out = false;
    clock.pass(10_000);
    expect(await predict(port, bearer(good))).toMatchObject({ status: 200 });
    issuerOf.out = true;
    clock.pass(3_600_000);
    const later = await token(first, "one");
    expect(await predict(port, bearer(later))).toMatchObject({ status: 200 });
  });

  it("fetches no keys in the clear from another machine unless told to", async () => {
    const rule = { jwksUri: "http://192.0.2.1/keys" };
    const port = await guarded({ authentications: [authentication(rule)] });
    const begun = performance.now();
    expect(await predict(port, bearer(await token(first, "one")))).toMatchObject({ status: 401 });
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it("lets a token go when its time is over, though it was good before", async () => {
    const jwks = JSON.stringify({ keys: [await publicKey(first, "one")] });
    const port = await guarded({ authentications: [authentication({ jwks })] });
    const brief = await token(first, "one", {}, 30);
    expect(await predict(port, bearer(brief))).toMatchObject({ status: 200 });
    clock.pass(120_000);
    expect(await predict(port, bearer(brief))).toMatchObject({ status: 401 });
  });

  it("can make a token obligatory: 401 for programs, and for probes", async () => {
    const jwks = JSON.stringify({ keys: [await publicKey(first, "one")] });
    const port = await guarded({ authentications: [authentication({ jwks }, required)] });
    expect(await predict(port)).toMatchObject({
      status: 401,
      reason: "CredentialsMissing",
      error: "Jwt is missing (RequestAuthentication default/tokens)",
      challenge: `Bearer realm="http://${host}/v1/models/iris:predict"`,
    });
    expect(await probe(port)).toMatchObject({ status: 401, policy: "RequestAuthentication default/tokens" });
    expect(await predict(port, bearer(await token(first, "one")))).toMatchObject({ status: 200 });
  });

  it("can send browsers to log in: 302 for them and for probes, 401 for programs", async () => {
    const annotations = { "drydock.dev/login-url": "https://login.example.com/start?back={url}" };
    const port = await guarded({ authentications: [authentication({ jwks: '{"keys":[{}]}' }, annotations)] });
    const page = { path: "/docs?x=1", method: "GET" };
    expect(await predict(port, { accept: "text/html,*/*" }, page)).toMatchObject({
      status: 302,
      location: `https://login.example.com/start?back=${encodeURIComponent(`http://${host}/docs?x=1`)}`,
    });
    expect(await probe(port)).toMatchObject({ status: 302 });
    expect(await predict(port, { accept: "application/json" }, page)).toMatchObject({ status: 401 });
    expect(await predict(port)).toMatchObject({ status: 401 });
  });
});

function probe(port: number): Promise<Told> {
  const headers = { "k-network-probe": "probe", "k-network-hash": "override" };
  return predict(port, headers, { path: "/healthz", method: "GET" });
}

describe("an AuthorizationPolicy", () => {
  it("lets pass whom it names, and says to others which one refused", async () => {
    const jwks = JSON.stringify({ keys: [await publicKey(first, "one")] });
    const port = await guarded({
      authentications: [authentication({ jwks })],
      policies: [policy({ rules: [{ from: [{ source: { requestPrincipals: [`${issuer}/alice`] } }] }] })],
    });
    expect(await predict(port, bearer(await token(first, "one")))).toMatchObject({ status: 200 });
    const refused = {
      status: 403,
      reason: "AccessDenied",
      policy: "AuthorizationPolicy default/people",
      error: "RBAC: access denied: no rule allows this request (AuthorizationPolicy default/people)",
    };
    expect(await predict(port)).toMatchObject(refused);
    expect(await predict(port, bearer(await token(first, "one", { sub: "bob" })))).toMatchObject(refused);
    expect(await probe(port)).toMatchObject({ status: 403, policy: "AuthorizationPolicy default/people" });
  });

  it("cannot be walked around by how a path is written", async () => {
    const denied = policy({ action: "DENY", rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] });
    const port = await guarded({ policies: [denied] });
    for (const path of [
      "/admin",
      "/%61dmin",
      "//admin",
      "/x/../admin",
      "/x/..%2fadmin",
      "/x\\..\\admin",
      "/admin?x",
    ])
      expect([path, (await predict(port, {}, { path })).status]).toEqual([path, 403]);
    expect(await predict(port)).toMatchObject({ status: 200 });

    const allowed = policy({ rules: [{ to: [{ operation: { paths: ["/open/*"] } }] }] });
    const other = await guarded({ policies: [allowed] });
    expect(await predict(other, {}, { path: "/open/a" })).toMatchObject({ status: 200 });
    for (const path of ["/secret/..%2fopen/a", "/open/..%2fsecret", "/open//../../secret"])
      expect([path, (await predict(other, {}, { path })).status]).toEqual([path, 403]);
  });

  it("of the root namespace stands at the gateway it selects, else at workloads by their labels", async () => {
    const nobody = (matchLabels: object) => policy({ selector: { matchLabels } }, "istio-system", "nobody");
    const status = async (matchLabels: object) =>
      (await predict(await guarded({ policies: [nobody(matchLabels)] }))).status;
    expect(await status({ istio: "ingressgateway" })).toBe(403);
    expect(await status({ istio: "cluster-local-gateway" })).toBe(200);
    expect(await status({ model: "iris" })).toBe(403);
    expect(await status({ model: "cat" })).toBe(200);
  });

  it("is not met by what it does not select, at no cost of a token's verification", async () => {
    const port = await guarded({ policies: [policy({}, "elsewhere")] });
    expect(await predict(port)).toMatchObject({ status: 200 });
    expect(await probe(port)).toMatchObject({ status: 200, hash: "hash-1" });
  });
});

describe("an API key", () => {
  const secret = {
    metadata: { namespace: "default", name: "team" },
    type: "drydock.dev/api-keys",
    data: {
      ci: Buffer.from("s3cret-of-ci\n").toString("base64"),
      ops: Buffer.from("s3cret-of-ops").toString("base64"),
    },
  };
  const onlyCi = policy({
    rules: [{ from: [{ source: { requestPrincipals: ["apikey/default/team/ci"] } }] }],
  });

  it("names its holder, whichever way it is shown, and ends at the gateway", async () => {
    const port = await guarded({ policies: [onlyCi], secrets: [secret] });
    for (const headers of [{ "x-api-key": "s3cret-of-ci" }, bearer("s3cret-of-ci")] as const) {
      const heard = await predict(port, headers);
      expect(heard.status).toBe(200);
      expect(heard.seen.headers).not.toHaveProperty("x-api-key");
      expect(heard.seen.headers).not.toHaveProperty("authorization");
    }
    expect(await predict(port, { "x-api-key": "s3cret-of-ops" })).toMatchObject({ status: 403 });
    expect(await predict(port)).toMatchObject({ status: 403 });
  });

  it("that nobody gave out is refused, and never repeated", async () => {
    const port = await guarded({ policies: [onlyCi], secrets: [secret] });
    const heard = await predict(port, { "x-api-key": "guessed" });
    expect(heard).toMatchObject({ status: 401, error: "the API key is not known (API keys)" });
    expect(JSON.stringify(heard)).not.toContain("guessed");
  });

  it("stands beside tokens, and counts where one is obligatory", async () => {
    const jwks = JSON.stringify({ keys: [await publicKey(first, "one")] });
    const port = await guarded({ authentications: [authentication({ jwks }, required)], secrets: [secret] });
    expect(await predict(port, { "x-api-key": "s3cret-of-ops" })).toMatchObject({ status: 200 });
    expect(await predict(port, bearer(await token(first, "one")))).toMatchObject({ status: 200 });
    expect(await predict(port)).toMatchObject({ status: 401 });
  });

  it("of other types of Secrets is none", async () => {
    const port = await guarded({ policies: [onlyCi], secrets: [{ ...secret, type: "Opaque" }] });
    expect(await predict(port, { "x-api-key": "s3cret-of-ci" })).toMatchObject({ status: 403 });
  });
});

describe("ClusterRbacConfig", () => {
  it("turns everything away where it is on, and nothing where the namespace is excluded", async () => {
    const config = (spec: object) => ({
      rbac: { configs: [{ metadata: { name: "default" }, spec }], roles: [], bindings: [] },
    });
    const closed = await guarded(config({ mode: "ON" }));
    expect(await probe(closed)).toMatchObject({ status: 403, policy: "ClusterRbacConfig default" });
    expect(await predict(closed)).toMatchObject({ status: 403, reason: "AccessDenied" });
    const open = await guarded(config({ mode: "ON_WITH_EXCLUSION", exclusion: { namespaces: ["default"] } }));
    expect(await predict(open)).toMatchObject({ status: 200 });
  });
});

describe("without policies", () => {
  it("there is no guard, and jose is not loaded for it", async () => {
    expect(compileGuard(nothing, { known: never, verify: never })).toBeUndefined();
    expect(
      compileGuard({ ...nothing, secrets: [{ type: "Opaque" }] }, { known: never, verify: never }),
    ).toBeUndefined();
  });
});

function never(): never {
  throw new Error("nobody shows tokens here");
}
