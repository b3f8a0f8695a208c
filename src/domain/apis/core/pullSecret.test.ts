import { describe, expect, it } from "vitest";
import { base64OfText, textOfBase64 } from "./base64.js";
import type { Secret, ServiceAccount } from "./config.types.js";
import { dockerAuths, pullSecretsOf, registryKey } from "./pullSecret.js";

const auth = base64OfText("ann:se:cret");

function secret(type: string, key: string, content: unknown): Secret {
  return { type, data: { [key]: base64OfText(JSON.stringify(content)) } } as unknown as Secret;
}

const json = (auths: object) => secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", { auths });

describe("pull secrets", () => {
  it.each([
    ["https://index.docker.io/v1/", "index.docker.io"],
    ["docker.io", "index.docker.io"],
    ["registry-1.docker.io/team", "index.docker.io/team"],
    ["http://localhost:5000/v2/", "localhost:5000"],
    ["quay.io/team", "quay.io/team"],
  ])("mean by %s the registry %s", (key, registry) => {
    expect(registryKey(key)).toBe(registry);
  });

  it("are read in both of their types, and in all their forms", () => {
    const named = [{ name: "new" }, { name: "old" }];
    const secrets: Record<string, Secret> = {
      new: json({
        "a.example": { auth },
        "b.example": { username: "bob", password: "x" },
        "c.example": { identitytoken: "long" },
        "d.example": {},
      }),
      old: secret("kubernetes.io/dockercfg", ".dockercfg", { "e.example": { auth } }),
    };
    expect(pullSecretsOf(named, undefined, (name) => secrets[name])).toEqual({
      notes: [],
      credentials: [
        { registry: "a.example", username: "ann", password: "se:cret" },
        { registry: "b.example", username: "bob", password: "x" },
        { registry: "c.example", identityToken: "long" },
        { registry: "e.example", username: "ann", password: "se:cret" },
      ],
    });
  });

  it("come from the pod first, then from its service account, each once", () => {
    const account = {
      imagePullSecrets: [{ name: "two" }, { name: "one" }],
      secrets: [{ name: "three" }, { name: "gone-too" }],
    } as unknown as ServiceAccount;
    const one = (name: string) =>
      name.startsWith("gone") ? undefined : json({ [`${name}.example`]: { auth } });
    const found = pullSecretsOf([{ name: "one" }, { name: "gone" }], account, one);
    expect(found).toMatchObject({
      credentials: [{ registry: "one.example" }, { registry: "two.example" }, { registry: "three.example" }],
      notes: ['the imagePullSecret "gone" does not exist'],
    });
  });

  it("that hold nothing of use are told of", () => {
    const opaque = { type: "Opaque", data: {} } as unknown as Secret;
    expect(pullSecretsOf([{ name: "x" }], undefined, () => opaque)).toEqual({
      credentials: [],
      notes: ['the imagePullSecret "x" holds no registry\'s credentials'],
    });
  });

  it.each([
    ["no JSON", { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": base64OfText("{") } }],
    ["no base64", { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": "%%%" } }],
    ["auths that are a list", json([])],
    ["an entry that is a text", json({ "a.example": "x" })],
    ["auth without a password", json({ "a.example": { auth: base64OfText("ann") } })],
  ])("with %s are no secrets", (_what, broken) => {
    expect(pullSecretsOf([{ name: "x" }], undefined, () => broken as Secret)).toMatchObject({
      because: expect.stringMatching(/^secret "x": \.dockerconfigjson/),
    });
  });

  it("do not repeat what is secret when they cannot be read", () => {
    expect(JSON.stringify(dockerAuths({ "a.example": { auth: "hunter2!" } }, "x"))).not.toContain("hunter2");
  });
});

describe("base64", () => {
  it.each(["", "a", "ab", "abc", "ü", "日本", "😀 mixed ü"])("comes back: %j", (text) => {
    expect(textOfBase64(base64OfText(text))).toBe(text);
  });

  it.each(["%", "A", "/w==", "8J+Y"])("is not %j", (text) => {
    expect(textOfBase64(text)).toBeUndefined();
  });
});
