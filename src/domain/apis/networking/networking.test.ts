import { describe, expect, it } from "vitest";
import { admitted } from "../../../../test/admission.js";
import { Image } from "../caching/image.types.js";
import { Certificate } from "./certificate.types.js";
import { ClusterDomainClaim } from "./clusterDomainClaim.types.js";
import { KnativeIngress } from "./ingress.types.js";
import { ServerlessService } from "./serverlessService.types.js";

type Part = { readonly [name: string]: unknown };

const named = (spec: Part, metadata: Part = {}) => ({ metadata: { name: "cat", ...metadata }, spec });
const said = (denied: string | undefined) => denied?.replace(/^validation failed: /, "");

const backend = { serviceNamespace: "default", serviceName: "cat-1", servicePort: 80 };
const split = (more: Part = {}) => ({ ...backend, ...more });
const through = (splits: readonly Part[], more: Part = {}) =>
  named({ rules: [{ hosts: ["a.b"], http: { paths: [{ splits }] } }], ...more });
const in0 = "spec.rules[0].http.paths[0]";

describe("Ingress", () => {
  it("is for the outside, and for whoever is alone, where nothing is said", () => {
    const { object, denied } = admitted(KnativeIngress, through([split()]));
    expect(denied).toBeUndefined();
    expect(object.spec.rules[0]).toMatchObject({
      visibility: "ExternalIP",
      http: { paths: [{ splits: [{ percent: 100 }] }] },
    });
  });

  it.each<[string, object, string]>([
    ["nothing said", named({}), "missing field(s): spec"],
    ["no rules", named({ httpOption: "Enabled" }), "missing field(s): spec.rules"],
    ["a rule for nothing", named({ rules: [{ hosts: ["a.b"] }] }), "missing field(s): spec.rules[0].http"],
    [
      "a rule without paths",
      named({ rules: [{ http: { paths: [] } }] }),
      "missing field(s): spec.rules[0].http.paths",
    ],
    ["a path to nowhere", through([]), `missing field(s): ${in0}.splits`],
    [
      "a share of another namespace's",
      through([split({ serviceNamespace: "other" })]),
      `service namespace must match ingress namespace: ${in0}.splits[0].serviceNamespace`,
    ],
    [
      "a share of nobody's",
      through([split({ serviceName: "", servicePort: 0 })]),
      `missing field(s): ${in0}.splits[0].serviceName, ${in0}.splits[0].servicePort`,
    ],
    [
      "shares beyond all",
      through([split({ percent: 101 }), split({ percent: -1 })]),
      `invalid value: -1: ${in0}.splits[1].percent\ninvalid value: 101: ${in0}.splits[0].percent`,
    ],
    [
      "shares of too little",
      through([split({ percent: 50 }), split({ percent: 49 })]),
      `traffic split percentage must total to 100, but was 99: ${in0}.splits`,
    ],
    [
      "a certificate from nowhere",
      through([split()], { tls: [{ hosts: ["a.b"] }] }),
      "missing field(s): spec.tls[0].secretName, spec.tls[0].secretNamespace",
    ],
    ["an empty certificate", through([split()], { tls: [{}] }), "missing field(s): spec.tls[0]"],
    [
      "an unknown option",
      through([split()], { httpOption: "Maybe" }),
      "invalid value: Maybe: spec.httpOption",
    ],
  ])("%s", (_name, given, want) => {
    expect(said(admitted(KnativeIngress, given).denied)).toBe(want);
  });
});

describe("ServerlessService", () => {
  const objectRef = { apiVersion: "apps/v1", kind: "Deployment", name: "cat-1-deployment" };
  const services = (spec: Part = {}, metadata: Part = {}) =>
    named({ mode: "Serve", objectRef, protocolType: "h2c", ...spec }, metadata);
  it.each<[string, object, string | undefined]>([
    ["a good one", services({ numActivators: 3 }), undefined],
    ["nothing said", named({}), "missing field(s): spec"],
    ["no mode", services({ mode: "" }), "missing field(s): spec.mode"],
    ["another mode", services({ mode: "Rest" }), "invalid value: Rest: spec.mode"],
    ["fewer than no activators", services({ numActivators: -1 }), "invalid value: -1: spec.numActivators"],
    ["no object", services({ objectRef: undefined }), "missing field(s): spec.objectRef"],
    [
      "an unnamed object",
      services({ objectRef: { ...objectRef, name: "" } }),
      "missing field(s): spec.objectRef.name",
    ],
    ["no protocol", services({ protocolType: undefined }), "missing field(s): spec.protocolType"],
    ["another protocol", services({ protocolType: "h3" }), "invalid value: h3: spec.protocolType"],
    [
      "an unknown annotation",
      services({}, { annotations: { "networking.knative.dev/zap": "x" } }),
      'invalid key name "networking.knative.dev/zap": metadata.annotations',
    ],
  ])("%s", (_name, given, want) => {
    expect(said(admitted(ServerlessService, given).denied)).toBe(want);
  });
});

describe("Certificate", () => {
  const certificate = (spec: Part = {}) => named({ dnsNames: ["a.b.c"], secretName: "s", ...spec });
  it.each<[string, object, string | undefined]>([
    ["a good one", certificate({ domain: "b.c" }), undefined],
    ["for no name", certificate({ dnsNames: [] }), "missing field(s): spec.dnsNames"],
    ["for an empty name", certificate({ dnsNames: [""] }), "invalid value: : spec.dnsNames[0]"],
    ["put nowhere", certificate({ secretName: "" }), "missing field(s): spec.secretName"],
    ["for another domain", certificate({ domain: "d.c" }), "invalid value: d.c: spec.domain"],
  ])("%s", (_name, given, want) => {
    expect(said(admitted(Certificate, given).denied)).toBe(want);
  });
});

it("ClusterDomainClaim and Image have a schema, and no rules beside it", () => {
  expect(admitted(ClusterDomainClaim, named({})).invalid).toEqual(["spec.namespace: Required value"]);
  expect(
    admitted(ClusterDomainClaim, named({ namespace: "default" })).object.metadata.namespace,
  ).toBeUndefined();
  expect(admitted(Image, named({})).invalid).toEqual(["spec.image: Required value"]);
});
