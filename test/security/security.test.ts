// The debug guide's stories told in earnest: a whole instance, its gateway, its prober, real tokens and real policies.
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Event } from "../../src/domain/apis/core/event.types.js";
import { InferenceService } from "../../src/domain/apis/kserve/inferenceService.types.js";
import { type Drydock, type Resource, start } from "../../src/index.js";
import { runtimesHome } from "../runtimes.js";
import { root } from "../sources.js";
import { told } from "../world/index.js";

const timeout = 90_000;
const namespace = "flowers";
const input = readFileSync(join(root, "examples/iris-input.json"), "utf8");

let drydock: Drydock;
beforeAll(async () => {
  drydock = await start({ runtimesHome });
  await drydock.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
}, timeout);
afterAll(() => drydock?.dispose());

function model(name: string, annotations: object = {}) {
  return {
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: { name, namespace, annotations },
    spec: {
      predictor: {
        model: { modelFormat: { name: "onnx" }, storageUri: "file:///drydock/examples/models/onnx-iris" },
      },
    },
  };
}

interface Heard {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

function predict(name: string, headers: { readonly [name: string]: string } = {}): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const url = `${drydock.gatewayUrl}/v1/models/${name}:predict`;
    const host = `${name}.${namespace}.localhost`;
    const asked = request(url, { method: "POST", headers: { host, ...headers } }, (answer) => {
      let body = "";
      answer.on("data", (chunk) => {
        body += chunk;
      });
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location, body }),
      );
    });
    asked.on("error", reject);
    asked.end(input);
  });
}

async function get(name: string): Promise<Resource | undefined> {
  return drydock.client.get(InferenceService, { namespace, name });
}

/** Until the condition reads so; what it read last is the failure's text. */
async function becomes(name: string, condition: string, want: RegExp): Promise<string> {
  const untilMs = performance.now() + 30_000;
  let last = "";
  while (performance.now() < untilMs) {
    last = told(await get(name), condition);
    if (want.test(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(last).toMatch(want);
  return last;
}

const policy = (kind: string, name: string, spec: object, metadata: object = {}) => ({
  apiVersion: "security.istio.io/v1",
  kind,
  metadata: { name, namespace, ...metadata },
  spec,
});

async function remove(kind: string, name: string): Promise<void> {
  const { AuthorizationPolicy, RequestAuthentication } = await import(
    "../../src/domain/apis/istio/security.types.js"
  );
  const of = kind === "AuthorizationPolicy" ? AuthorizationPolicy : RequestAuthentication;
  await drydock.client.delete(of as never, { namespace, name });
}

describe("RBAC that is on for a namespace it should leave alone", () => {
  const rbac = (spec: object) => ({
    apiVersion: "rbac.istio.io/v1alpha1",
    kind: "ClusterRbacConfig",
    metadata: { name: "default" },
    spec,
  });

  it("is met by probes with 403, said by name, and mended by excluding the namespace", {
    timeout,
  }, async () => {
    await drydock.apply(rbac({ mode: "ON" }));
    await drydock.apply(model("rbac"));
    await drydock.ready("inferenceservice/rbac", { namespace });
    const said = await becomes("rbac", "IngressReady", /^True PolicyInFront/);
    const port = new URL(drydock.gatewayUrl).port;
    expect(said).toContain(
      `Probing of http://rbac.flowers.localhost:${port}/ failed, IP: 127.0.0.1:${port}, ready: false, error: unexpected status code: want [200], got 403 (depth: 0): 403 means that a policy (Istio RBAC) keeps probes out (ClusterRbacConfig default)`,
    );
    const { items } = await drydock.client.list(Event, { namespace });
    const reasons = items.filter(({ involvedObject }) => involvedObject?.kind === "InferenceService");
    expect(reasons.map(({ reason }) => reason)).toContain("PolicyInFront");
    const refused = await predict("rbac");
    expect([refused.status, refused.body]).toEqual([403, expect.stringContaining("RBAC: access denied")]);

    await drydock.apply(rbac({ mode: "ON_WITH_EXCLUSION", exclusion: { namespaces: [namespace] } }));
    await becomes("rbac", "IngressReady", /^True$/);
    expect((await predict("rbac")).status).toBe(200);
  });

  it("kept the model from being ready when probes were strict", { timeout }, async () => {
    await drydock.apply(rbac({ mode: "ON" }));
    await drydock.apply(model("strict", { "drydock.dev/ingress-probe": "strict" }));
    await becomes("strict", "Ready", /^Unknown IngressNotConfigured: .*got 403/);
    await drydock.apply(rbac({ mode: "OFF" }));
    await becomes("strict", "Ready", /^True/);
  });
});

describe("tokens of an issuer", () => {
  it("open a model, and its absence is told as 401, or as 302 with a login page", { timeout }, async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const keys = [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256" }];
    const issuerOf = createServer((_, response) => response.end(JSON.stringify({ keys })));
    await new Promise<void>((resolve) => issuerOf.listen(0, "127.0.0.1", resolve));
    try {
      const jwksUri = `http://127.0.0.1:${(issuerOf.address() as AddressInfo).port}/keys`;
      const spec = { jwtRules: [{ issuer: "https://issuer.example.com", jwksUri }] };
      const annotated = (annotations: object) =>
        drydock.apply(policy("RequestAuthentication", "tokens", spec, { annotations }));
      await annotated({ "drydock.dev/require-jwt": "true" });
      await drydock.apply(model("tokens"));
      await drydock.ready("inferenceservice/tokens", { namespace });
      await becomes(
        "tokens",
        "IngressReady",
        /^True AuthenticationInFront: .*got 401 .*RequestAuthentication flowers\/tokens/,
      );
      expect((await predict("tokens")).status).toBe(401);
      const signed = await new SignJWT({ sub: "alice" })
        .setProtectedHeader({ alg: "RS256", kid: "k1" })
        .setIssuer("https://issuer.example.com")
        .setExpirationTime("5m")
        .sign(privateKey);
      expect((await predict("tokens", { authorization: `Bearer ${signed}` })).status).toBe(200);

      await annotated({ "drydock.dev/login-url": "https://login.example.com/" });
      await becomes("tokens", "IngressReady", /^True AuthenticationInFront: .*got 302/);
      await remove("RequestAuthentication", "tokens");
      await becomes("tokens", "IngressReady", /^True$/);
    } finally {
      issuerOf.close();
    }
  });
});

describe("an API key", () => {
  it("opens a model to its holder, as soon as it is given out", { timeout }, async () => {
    await drydock.apply(model("keys"));
    await drydock.ready("inferenceservice/keys", { namespace });
    await drydock.apply(
      policy("AuthorizationPolicy", "people", {
        rules: [{ from: [{ source: { requestPrincipals: [`apikey/${namespace}/team/*`] } }] }],
      }),
    );
    await becomes("keys", "IngressReady", /^True PolicyInFront/);
    expect((await predict("keys", { "x-api-key": "s3cret" })).status).toBe(403);
    await drydock.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "team", namespace },
      type: "drydock.dev/api-keys",
      stringData: { ci: "s3cret" },
    });
    const untilMs = performance.now() + 10_000;
    while ((await predict("keys", { "x-api-key": "s3cret" })).status !== 200)
      if (performance.now() > untilMs) throw new Error("the key never counted");
    expect((await predict("keys", { "x-api-key": "wrong" })).status).toBe(401);
  });
});

describe("what this gateway does not do", () => {
  it.each<[string, object, RegExp]>([
    ["AuthorizationPolicy", { action: "CUSTOM" }, /action CUSTOM is not supported by this gateway/],
    ["AuthorizationPolicy", { action: "DENY" }, /DENY action without `rules` is meaningless/],
    [
      "AuthorizationPolicy",
      { action: "DENY", rules: [{ from: [{ source: { namespaces: ["other"] } }] }] },
      /spec.rules\[0\]: from.source.namespaces in a DENY would refuse nobody/,
    ],
    [
      "AuthorizationPolicy",
      { action: "DENY", rules: [{ when: [{ key: "source.principal", values: ["a"] }] }] },
      /condition source.principal in a DENY would refuse nobody: no mutual TLS proves it/,
    ],
    ["AuthorizationPolicy", { rules: [{ from: [] }] }, /`from` cannot be empty/],
    [
      "AuthorizationPolicy",
      { rules: [{ when: [{ key: "who", values: ["x"] }] }] },
      /unknown attribute \(who\)/,
    ],
    [
      "AuthorizationPolicy",
      { rules: [{ from: [{ source: { ipBlocks: ["x"] } }] }] },
      /invalid ip or cidr: "x"/,
    ],
    ["RequestAuthentication", { jwtRules: [{ jwksUri: "https://x/k" }] }, /issuer must be set/],
    ["RequestAuthentication", { jwtRules: [{ issuer: "x", jwks: "no" }] }, /jwks parse error/],
  ])("is refused with the reason: %s %j", async (kind, spec, because) => {
    await expect(drydock.apply(policy(kind, "refused", spec))).rejects.toThrow(because);
  });
});
