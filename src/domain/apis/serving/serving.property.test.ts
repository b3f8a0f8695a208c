// Any template: a good one is admitted and then left alone, a bad one is refused in words. Nothing makes admission throw.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { admitted, shippedConfig, withFeatures } from "../../../../test/admission.js";
import { equalJson } from "../schema/index.js";
import { KnativeService } from "./service.types.js";
import { shortDiff } from "./shortDiff.js";

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const volume = fc.record({
  name: label,
  source: fc.constantFrom("emptyDir", "secret", "configMap", "projected"),
});
const container = fc.record({
  image: label.map((name) => `${name}/it:v1`),
  command: optional(fc.array(fc.string())),
  env: optional(
    fc.uniqueArray(label, { maxLength: 3 }).map((names) => names.map((name) => ({ name, value: "x" }))),
  ),
  ports: optional(fc.constantFrom([{ containerPort: 8080 }], [{ name: "h2c", containerPort: 81 }])),
  resources: optional(fc.constantFrom({}, { limits: { cpu: "1" } }, { requests: { memory: "1Gi" } })),
  readinessProbe: optional(
    fc.constantFrom({}, { httpGet: { path: "/up" } }, { periodSeconds: 3 }, { exec: { command: ["ok"] } }),
  ),
  securityContext: optional(fc.constantFrom({ runAsUser: 1000 }, { runAsNonRoot: true, privileged: false })),
});
const goodSpec = fc
  .record({
    container,
    volumes: fc.uniqueArray(volume, { selector: ({ name }) => name, maxLength: 3 }),
    timeoutSeconds: optional(fc.integer({ min: 0, max: 600 })),
    containerConcurrency: optional(fc.integer({ min: 0, max: 1000 })),
    serviceAccountName: optional(label),
  })
  .map(({ container: main, volumes, ...rest }) => ({
    ...rest,
    containers: [{ ...main, volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/mnt/${name}` })) }],
    volumes: volumes.map(({ name, source }) => ({
      name,
      [source]: source === "projected" ? { sources: [{ secret: { name } }] } : {},
    })),
  }));
const config = fc.constantFrom(
  shippedConfig,
  withFeatures({ securePodDefaults: "enabled" }),
  withFeatures({ securePodDefaults: "AllowRootBounded" }),
);
const service = (spec: unknown, metadata: unknown = {}) => ({
  metadata: { name: "cat" },
  spec: { template: { metadata, spec } },
});

describe("good templates", () => {
  it("are admitted, and defaulting them again changes nothing", () => {
    fc.assert(
      fc.property(goodSpec, config, (spec, so) => {
        const first = admitted(KnativeService, service(JSON.parse(JSON.stringify(spec))), { config: so });
        expect([first.denied, first.invalid]).toEqual([undefined, []]);
        const again = admitted(KnativeService, first.object, { config: so });
        expect(again.object.spec).toEqual(first.object.spec);
        const update = admitted(KnativeService, first.object, { config: so, old: first.object, user: "bob" });
        expect(update.object).toEqual(first.object);
        expect(update.denied).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });
});

const junk = fc.oneof(
  fc.constantFrom(undefined, "", "x", "-1", "1.5", "1h", "a/b:c@d", -1, 0, 1, 70000, true, false),
  fc.string(),
  fc.double({ noNaN: true }),
);
const bag = (names: readonly string[], value: fc.Arbitrary<unknown>) =>
  fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 });
const nested = (names: readonly string[]) =>
  bag(names, fc.oneof(junk, bag(names, junk), fc.array(bag(names, junk), { maxLength: 2 }), fc.array(junk)));
const fields = [
  ..."name image ports env envFrom resources volumeMounts readinessProbe livenessProbe securityContext".split(
    " ",
  ),
  ..."configMap secret projected emptyDir persistentVolumeClaim mountPath containerPort protocol items".split(
    " ",
  ),
  ..."httpGet tcpSocket exec grpc port periodSeconds capabilities add drop runAsUser seccompProfile".split(
    " ",
  ),
  ..."valueFrom fieldRef configMapRef sources downwardAPI sizeLimit medium terminationMessagePolicy".split(
    " ",
  ),
];
const specFields = [
  ..."volumes serviceAccountName securityContext affinity tolerations nodeSelector initContainers".split(" "),
  ..."timeoutSeconds containerConcurrency enableServiceLinks hostNetwork imagePullSecrets".split(" "),
];
const wildSpec = fc
  .tuple(
    bag(specFields, fc.oneof(junk, fc.array(nested(fields), { maxLength: 2 }), nested(fields))),
    fc.array(nested(fields), { maxLength: 3 }),
  )
  .map(([spec, containers]) => ({ ...spec, containers }));
const scaling = ["min-scale", "max-scale", "window", "target", "initial-scale", "class", "metric"];
const annotations = fc.dictionary(
  fc.constantFrom(
    ...scaling.map((name) => `autoscaling.knative.dev/${name}`),
    "serving.knative.dev/progress-deadline",
  ),
  fc.string(),
);

describe("any template", () => {
  it("is refused or admitted, and never breaks anything", () => {
    fc.assert(
      fc.property(wildSpec, annotations, config, (spec, notes, so) => {
        const given = JSON.parse(JSON.stringify(service(spec, { annotations: notes })));
        const { denied, invalid } = admitted(KnativeService, given, { config: so });
        if (denied !== undefined) expect(denied).toMatch(/^validation failed: \S/);
        expect(invalid.every((one) => one.includes(": "))).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});

describe("the short diff", () => {
  it("is empty for equals, and only for them", () => {
    fc.assert(
      fc.property(goodSpec, goodSpec, (a, b) => {
        const [old, now] = [a, b].map((one) => admitted(KnativeService, service(one)).object.spec.template);
        expect(shortDiff("{*v1.RevisionTemplateSpec}", old, old)).toBe("");
        const diff = shortDiff("{*v1.RevisionTemplateSpec}", old, now);
        if (equalJson(old, now)) expect(diff).toBe("");
        else if (old?.spec.timeoutSeconds !== now?.spec.timeoutSeconds)
          expect(diff).toContain(".TimeoutSeconds:");
      }),
      { numRuns: 100 },
    );
  });
});
