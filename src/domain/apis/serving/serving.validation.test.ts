// One row per rule of Knative's webhook: what is sent, and what is answered, to the letter (knative-serving.md, 1.7).
import { describe, expect, it } from "vitest";
import { admitted, shippedConfig, withFeatures } from "../../../../test/admission.js";
import type { FeaturesConfig, ServingConfig } from "../config/index.js";
import { Configuration } from "./configuration.types.js";
import { Revision } from "./revision.types.js";
import { Route } from "./route.types.js";
import { KnativeService } from "./service.types.js";

type Part = { readonly [name: string]: unknown };

const service = (spec: Part = {}, metadata: Part = {}, templateMetadata: Part = {}) => ({
  metadata: { name: "cat", ...metadata },
  spec: { template: { metadata: templateMetadata, spec: { containers: [{ image: "cat:v1" }], ...spec } } },
});
const container = (part: Part, spec: Part = {}) =>
  service({ ...spec, containers: [{ image: "cat:v1", ...part }] });
const annotated = (annotations: Part) => service({}, {}, { annotations });
const routed = (traffic: readonly Part[], kind: "Service" | "Route" = "Service") =>
  kind === "Route"
    ? { metadata: { name: "cat" }, spec: { traffic } }
    : { ...service(), spec: { ...service().spec, traffic } };

/** Whatever stands between the webhook's name and the user: without the prefix that every answer has. */
function said(denied: string | undefined): string | undefined {
  return denied?.replace(/^validation failed: /, "");
}

const on = (features: Partial<FeaturesConfig>) => ({ config: withFeatures(features) });
const at = "spec.template.spec";
const in0 = `${at}.containers[0]`;
const dns1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

type Row = [string, object, string | undefined, { readonly config?: ServingConfig }?];

const rules = (name: string, rows: readonly Row[]) =>
  describe(name, () => {
    it.each(rows)("%s", (_name, given, want, options = {}) => {
      expect(said(admitted(KnativeService, given, options).denied)).toBe(want);
    });
  });

describe("the answer", () => {
  it("carries the webhook's prefix", () => {
    expect(admitted(KnativeService, service({ timeoutSeconds: 1000 })).denied).toBe(
      "validation failed: expected 0 <= 1000 <= 600: spec.template.spec.timeoutSeconds",
    );
  });

  it("is nothing to what is on its way out", () => {
    const old = admitted(KnativeService, service()).object;
    const going = { ...old.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
    const given = { metadata: going, spec: service({ timeoutSeconds: 1000 }).spec };
    expect(admitted(KnativeService, given, { old }).denied).toBeUndefined();
  });

  it("is nothing to writes of the status", () => {
    const wrong = service({ timeoutSeconds: 1000 });
    expect(admitted(KnativeService, wrong, { subresource: "status" }).denied).toBeUndefined();
  });
});

rules("metadata", [
  ["a good one", service(), undefined],
  ["a name with a dot", service({}, { name: "a.b" }), `not a DNS 1035 label: [${dns1035}]: metadata.name`],
  [
    "a prefix that no name begins with",
    service({}, { generateName: "1-", name: "a" }),
    `not a DNS 1035 label prefix: [${dns1035}]: metadata.generateName`,
  ],
  ["no name at all", service({}, { name: "" }), "name or generateName is required: metadata.name"],
  [
    "autoscaling in the wrong place",
    service({}, { annotations: { "autoscaling.knative.dev/min-scale": "1" } }),
    'invalid key name "autoscaling.knative.dev/min-scale": metadata.annotations\nautoscaling annotations must be put under "spec.template.metadata.annotations" to work',
  ],
  ...(
    [
      ["60", "invalid value: 60"],
      ["1500ms", "rollout-duration=1500ms is not at second precision"],
      ["-3s", "rollout-duration=-3s must be positive"],
      ["90s", undefined],
    ] as const
  ).map(
    ([value, message]): Row => [
      `a rollout of ${value}`,
      service({}, { annotations: { "serving.knative.dev/rollout-duration": value } }),
      message && `${message}: metadata.annotations.serving.knative.dev/rollout-duration`,
    ],
  ),
]);

rules("the template", [
  ["no template", { metadata: { name: "cat" }, spec: {} }, `missing field(s): ${at}.containers`],
  [
    "a generateName that is none",
    service({}, {}, { generateName: "1-" }),
    `invalid value: not a DNS 1035 label prefix: [${dns1035}]: spec.template.metadata.generateName`,
  ],
  [
    "a name that is none",
    service({}, {}, { name: "Cat-1" }),
    `invalid value: not a DNS 1035 label: [${dns1035}]: spec.template.metadata.name`,
  ],
  [
    "a name without the Service's",
    service({}, {}, { name: "dog-1" }),
    'invalid value: "dog-1" must have prefix "cat-": spec.template.metadata.name',
  ],
  ["a name of one's own", service({}, {}, { name: "cat-one" }), undefined],
  [
    "a name for a Service that has none yet",
    service({}, { generateName: "cat-", name: "cat-abcde" }, { name: "cat-abcde-1" }),
    "must not set the field(s): spec.template.metadata.name",
  ],
  [
    "an unknown networking annotation",
    annotated({ "networking.knative.dev/ingress.class": "x", "networking.knative.dev/zap": "x" }),
    'invalid key name "networking.knative.dev/zap": spec.template.metadata.annotations',
  ],
  [
    "a percentage that is no number",
    annotated({ "queue.sidecar.serving.knative.dev/resource-percentage": "much" }),
    "invalid value: much: spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/resource-percentage]",
  ],
  [
    "a percentage above all",
    annotated({ "queue.sidecar.serving.knative.dev/resourcePercentage": "200" }),
    "expected 0.1 <= 200 <= 100: spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/resourcePercentage]",
  ],
  [
    "a sidecar's resource that is no quantity",
    annotated({ "queue.sidecar.serving.knative.dev/cpu-resource-request": "lots" }),
    "invalid value: lots: spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/cpu-resource-request]",
  ],
  ...(
    [
      ["soon", "invalid value: soon"],
      ["1.5s", "progress-deadline=1.5s is not at second precision"],
      ["-1m", "progress-deadline=-1m must be positive"],
      ["10m", undefined],
    ] as const
  ).map(
    ([value, message]): Row => [
      `a deadline of ${value}`,
      annotated({ "serving.knative.dev/progress-deadline": value }),
      message && `${message}: spec.template.metadata.annotations.serving.knative.dev/progress-deadline`,
    ],
  ),
  ["a negative timeout", service({ timeoutSeconds: -1 }), `expected 0 <= -1 <= 600: ${at}.timeoutSeconds`],
  [
    "too much concurrency",
    service({ containerConcurrency: 1001 }),
    `expected 0 <= 1001 <= 1000: ${at}.containerConcurrency`,
  ],
  [
    "no limit where there must be one",
    service({ containerConcurrency: 0 }),
    `expected 1 <= 0 <= 1000: ${at}.containerConcurrency`,
    {
      config: {
        ...shippedConfig,
        defaults: { ...shippedConfig.defaults, allowContainerConcurrencyZero: false },
      },
    },
  ],
]);

const gated: readonly (readonly [string, unknown, keyof FeaturesConfig])[] = [
  ["affinity", {}, "podSpecAffinity"],
  ["dnsConfig", {}, "podSpecDnsConfig"],
  ["dnsPolicy", "None", "podSpecDnsPolicy"],
  ["hostAliases", [{ ip: "1.2.3.4" }], "podSpecHostAliases"],
  ["hostIPC", true, "podSpecHostIpc"],
  ["hostNetwork", true, "podSpecHostNetwork"],
  ["hostPID", true, "podSpecHostPid"],
  ["nodeSelector", { a: "b" }, "podSpecNodeSelector"],
  ["priorityClassName", "high", "podSpecPriorityClassName"],
  ["runtimeClassName", "gvisor", "podSpecRuntimeClassName"],
  ["schedulerName", "mine", "podSpecSchedulerName"],
  ["securityContext", {}, "podSpecSecurityContext"],
  ["shareProcessNamespace", false, "podSpecShareProcessNamespace"],
  ["tolerations", [{ operator: "Exists" }], "podSpecTolerations"],
  ["topologySpreadConstraints", [{ maxSkew: 1 }], "podSpecTopologySpreadConstraints"],
];

const two = (first: Part, second: Part) =>
  service({
    containers: [
      { name: "a", image: "cat:v1", ...first },
      { name: "b", image: "dog:v1", ...second },
    ],
  });
const port = { ports: [{ containerPort: 8080 }] };
const inits = (...initContainers: readonly Part[]) => service({ initContainers });
const initOn = on({ podSpecInitContainers: "enabled" });
const securityOn = on({ podSpecSecurityContext: "enabled" });

rules("the pod", [
  ...gated.flatMap(([field, value, flag]): readonly Row[] => [
    [`${field} is off as shipped`, service({ [field]: value }), `must not set the field(s): ${at}.${field}`],
    [`${field} may be allowed`, service({ [field]: value }), undefined, on({ [flag]: "allowed" })],
  ]),
  [
    "what is always open",
    service({ imagePullSecrets: [{ name: "s" }], enableServiceLinks: true }),
    undefined,
  ],
  ["no token mounted", service({ automountServiceAccountToken: false }), undefined],
  [
    "a token mounted",
    service({ automountServiceAccountToken: true }),
    `must not set the field(s): ${at}.automountServiceAccountToken`,
  ],
  [
    "an account that cannot be",
    service({ serviceAccountName: "foo@bar.baz" }),
    `invalid value: foo@bar.baz: ${at}.serviceAccountName\n${subdomain}`,
  ],
  [
    "rights it may not have",
    service({ securityContext: { fsGroupChangePolicy: "Always", runAsUser: 1 } }),
    `must not set the field(s): ${at}.securityContext.fsGroupChangePolicy`,
    securityOn,
  ],
  [
    "ids that are none",
    service({ securityContext: { runAsUser: -1, supplementalGroups: [1, 2147483648] } }),
    `expected 0 <= -1 <= 2147483647: ${at}.securityContext.runAsUser\nexpected 0 <= 2147483648 <= 2147483647: ${at}.securityContext.supplementalGroups[1]`,
    securityOn,
  ],
  [
    "a way out of secure defaults",
    service({ securityContext: { seccompProfile: { type: "Unconfined" } } }),
    undefined,
    on({ securePodDefaults: "enabled" }),
  ],
  ["no containers", service({ containers: [] }), `missing field(s): ${at}.containers`],
  [
    "several where there may be one",
    two(port, {}),
    "multi-container is off, but found 2 containers: ",
    on({ multiContainer: "disabled" }),
  ],
  ["several, one of them serving", two(port, {}), undefined],
  ["several, none of them serving", two({}, {}), `missing field(s): ${at}.containers[*].ports`],
  [
    "several that serve",
    two(port, port),
    `more than one container port is set: ${at}.containers[*].ports\nOnly a single port is allowed across all containers`,
  ],
  [
    "the same name twice",
    two({ ...port, name: "a" }, { name: "a" }),
    `duplicate container name "a": ${at}.containers[1].name`,
  ],
  [
    "init containers are off as shipped",
    inits({ image: "init:v1" }),
    `must not set the field(s): ${at}.initContainers\npod spec support for init-containers is off, but found 1 init containers: `,
  ],
  ["init containers where they are on", inits({ image: "init:v1" }), undefined, initOn],
  [
    "an init container that is asked how it does",
    inits({ image: "init:v1", livenessProbe: { exec: {} }, startupProbe: { exec: {} } }),
    `field not allowed in an init container: ${in0}.livenessProbe, ${in0}.startupProbe`,
    initOn,
  ],
  [
    "an init container with a lifecycle",
    inits({ image: "init:v1", lifecycle: { preStop: {} } }),
    `field not allowed in an init container: ${in0}.lifecycle\nmust not set the field(s): ${in0}.lifecycle`,
    initOn,
  ],
  [
    "an init container named like another",
    service({ containers: [{ name: "a", image: "cat:v1" }], initContainers: [{ name: "a", image: "b:1" }] }),
    `duplicate container name "a": ${in0}.name`,
    initOn,
  ],
]);

const env = (part: Part) => container({ env: [part] });
const oneOf = `${in0}.envFrom.configMapRef, ${in0}.envFrom.secretRef`;

rules("a container", [
  [
    "the sidecar's name",
    container({ name: "queue-proxy" }),
    `"queue-proxy" is a reserved container name: ${in0}.name`,
  ],
  ["no image", service({ containers: [{ name: "a" }] }), `missing field(s): ${in0}.image`],
  [
    "an image that is none",
    container({ image: "foo:bar:baz" }),
    `Failed to parse image reference: ${in0}.image\nimage: "foo:bar:baz", error: could not parse reference: foo:bar:baz`,
  ],
  ["an image by digest", container({ image: `r.io:5000/a/b:t@sha256:${"0".repeat(64)}` }), undefined],
  ["a variable without a name", env({ name: "", value: "x" }), `missing field(s): ${in0}.env[0].name`],
  ...["PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"].map(
    (name): Row => [
      `the variable ${name}`,
      env({ name, value: "x" }),
      `"${name}" is a reserved environment variable: ${in0}.env[0].name`,
    ],
  ),
  ["PORT in a sidecar", two(port, { env: [{ name: "PORT", value: "1" }] }), undefined],
  [
    "K_SERVICE in a sidecar",
    two(port, { env: [{ name: "K_SERVICE", value: "1" }] }),
    `"K_SERVICE" is a reserved environment variable: ${at}.containers[1].env[0].name`,
  ],
  [
    "a variable from a field of the pod",
    env({ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }),
    `must not set the field(s): ${in0}.env[0].valueFrom.fieldRef`,
  ],
  [
    "a variable from a field where that is allowed",
    env({ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }),
    undefined,
    on({ podSpecFieldRef: "allowed" }),
  ],
  [
    "variables from nowhere",
    container({ envFrom: [{ prefix: "a" }] }),
    `expected exactly one, got neither: ${oneOf}`,
  ],
  [
    "variables from two places",
    container({ envFrom: [{ configMapRef: { name: "a" }, secretRef: { name: "b" } }] }),
    `expected exactly one, got both: ${oneOf}`,
  ],
  ...[8008, 8012, 8013, 8022, 9090, 9091].map(
    (containerPort): Row => [
      `port ${containerPort}`,
      container({ ports: [{ containerPort }] }),
      `invalid value: ${containerPort} is a reserved port: ${in0}.ports.containerPort\n${containerPort} is a reserved port, please use a different value`,
    ],
  ),
  ["port 8112, which is not reserved", container({ ports: [{ containerPort: 8112 }] }), undefined],
  [
    "a port beyond all",
    container({ ports: [{ containerPort: 65536 }] }),
    `expected 0 <= 65536 <= 65535: ${in0}.ports.containerPort`,
  ],
  [
    "a port of another protocol",
    container({ ports: [{ containerPort: 1, protocol: "UDP" }] }),
    `invalid value: UDP: ${in0}.ports.protocol`,
  ],
  [
    "a port of another name",
    container({ ports: [{ containerPort: 1, name: "grpc" }] }),
    `Port name grpc is not allowed: ${in0}.ports\nName must be empty, or one of: 'h2c', 'http1'`,
  ],
  ["privileged, but not", container({ securityContext: { privileged: false } }), undefined],
  [
    "privileged",
    container({ securityContext: { privileged: true } }),
    `must not set the field(s): ${in0}.securityContext.privileged`,
  ],
  [
    "users that are none",
    container({ securityContext: { runAsUser: -10, runAsGroup: 2147483648 } }),
    `expected 0 <= -10 <= 2147483647: ${in0}.securityContext.runAsUser\nexpected 0 <= 2147483648 <= 2147483647: ${in0}.securityContext.runAsGroup`,
  ],
  [
    "more capabilities",
    container({ securityContext: { capabilities: { add: ["NET_BIND_SERVICE"] } } }),
    `must not set the field(s): ${in0}.securityContext.capabilities.add`,
  ],
  [
    "any capability where that is on",
    container({ securityContext: { capabilities: { add: ["SYS_ADMIN"] } } }),
    undefined,
    on({ containerSpecAddCapabilities: "enabled" }),
  ],
  [
    "low ports where defaults are secure",
    container({ securityContext: { capabilities: { add: ["NET_BIND_SERVICE"] } } }),
    undefined,
    on({ securePodDefaults: "AllowRootBounded" }),
  ],
  [
    "another place for last words",
    container({ terminationMessagePolicy: "Shout" }),
    `invalid value: Shout: ${in0}.terminationMessagePolicy`,
  ],
]);

const http = { httpGet: { path: "/" } };
const all = (probe: string) =>
  ["exec", "grpc", "httpGet", "tcpSocket"].map((name) => `${in0}.${probe}.${name}`).join(", ");
const readiness = (part: Part, more: Part = {}) =>
  container({ readinessProbe: { ...http, ...part }, ...more });
const sidecarProbe = (probe: Part) => two(port, { readinessProbe: probe });
const probing = on({ multiContainerProbing: "enabled" });
const in1 = `${at}.containers[1]`;

rules("a probe", [
  [
    "without a handler",
    container({ livenessProbe: {} }),
    `expected exactly one, got neither: ${all("livenessProbe")}`,
  ],
  [
    "with two handlers",
    container({ startupProbe: { exec: {}, tcpSocket: { port: 1 } } }),
    `expected exactly one, got both: ${in0}.startupProbe.exec, ${in0}.startupProbe.tcpSocket`,
  ],
  [
    "of a port by another name",
    readiness({ httpGet: { port: "imap" } }),
    `invalid value: imap: ${in0}.readinessProbe.httpGet.port\nProbe port must match container port`,
  ],
  ["of an unnamed port, which is called http", readiness({ httpGet: { port: "http" } }), undefined],
  ["of a port by its name", readiness({ httpGet: { port: "h2c" } }, { ports: [{ name: "h2c" }] }), undefined],
  ["of another port by number", readiness({ httpGet: { port: 9999 } }), undefined],
  [
    "before its time",
    readiness({ periodSeconds: -1, failureThreshold: 1, timeoutSeconds: 1 }),
    `expected 0 <= -1 <= 2147483647: ${in0}.readinessProbe.periodSeconds`,
  ],
  [
    "after a negative while",
    readiness({ initialDelaySeconds: -1 }),
    `expected 0 <= -1 <= 2147483647: ${in0}.readinessProbe.initialDelaySeconds`,
  ],
  [
    "that need not succeed",
    readiness({ successThreshold: -1 }),
    `expected 1 <= -1 <= 2147483647: ${in0}.readinessProbe.successThreshold`,
  ],
  [
    "at Knative's own pace, with a threshold",
    readiness({ failureThreshold: 2 }),
    `failureThreshold is disallowed when periodSeconds is zero: ${in0}.readinessProbe.failureThreshold`,
  ],
  [
    "at Knative's own pace, with a timeout",
    readiness({ timeoutSeconds: 2 }),
    `timeoutSeconds is disallowed when periodSeconds is zero: ${in0}.readinessProbe.timeoutSeconds`,
  ],
  [
    "at a pace, with no time to answer",
    readiness({ periodSeconds: 1, timeoutSeconds: -1 }),
    `expected 1 <= -1 <= 2147483647: ${in0}.readinessProbe.timeoutSeconds`,
  ],
  [
    "at a pace, that may never fail",
    readiness({ periodSeconds: 1, failureThreshold: -1 }),
    `expected 1 <= -1 <= 2147483647: ${in0}.readinessProbe.failureThreshold`,
  ],
  [
    "of a sidecar is off as shipped",
    sidecarProbe({ tcpSocket: { port: 1 }, successThreshold: 1 }),
    `must not set the field(s): ${in1}.readinessProbe, ${in1}.readinessProbe.successThreshold`,
  ],
  [
    "of a sidecar where that is on",
    sidecarProbe({ tcpSocket: { port: 1 }, successThreshold: 1 }),
    undefined,
    probing,
  ],
  [
    "of a sidecar, of no port",
    sidecarProbe({ httpGet: { path: "/" }, successThreshold: 1 }),
    `invalid value: 0: ${in1}.readinessProbe.httpGet.port\nProbe port must be specified`,
    probing,
  ],
]);

const v0 = `${at}.volumes[0]`;
const m0 = `${in0}.volumeMounts[0]`;
const volume = (source: Part, mount: Part = {}) =>
  service({
    containers: [{ image: "cat:v1", volumeMounts: [{ name: "v", mountPath: "/v", ...mount }] }],
    volumes: [{ name: "v", ...source }],
  });
const claim = { persistentVolumeClaim: { claimName: "data", readOnly: true } };
const configMap = { configMap: { name: "c" } };
const projected = (source: Part) => volume({ projected: { sources: [source] } });
const propagation = on({ volumesMountPropagation: "enabled" });

rules("volumes", [
  ["of a Secret", volume({ secret: { secretName: "s" } }), undefined],
  ["emptyDir, as shipped", volume({ emptyDir: {} }), undefined],
  [
    "emptyDir where that is off",
    volume({ emptyDir: {} }),
    `EmptyDir volume support is disabled, but found EmptyDir volume v: \nmust not set the field(s): ${v0}.emptyDir`,
    on({ volumesEmptyDir: "disabled" }),
  ],
  [
    "emptyDir where that is allowed only",
    volume({ emptyDir: {} }),
    "EmptyDir volume support is disabled, but found EmptyDir volume v: ",
    on({ volumesEmptyDir: "allowed" }),
  ],
  ...(
    [
      ["hostPath", "HostPath", "volumesHostPath", { path: "/x" }],
      ["csi", "CSI", "volumesCsi", { driver: "d" }],
      ["ephemeral", "Ephemeral", "volumesEphemeral", {}],
      ["image", "Image", "volumesImage", { reference: "r" }],
    ] as const
  ).flatMap(([source, what, flag, value]): readonly Row[] => [
    [
      `${source}, as shipped`,
      volume({ [source]: value }),
      `${what} volume support is disabled, but found ${what} volume v: \nmust not set the field(s): ${v0}.${source}`,
    ],
    [`${source} where that is on`, volume({ [source]: value }), undefined, on({ [flag]: "enabled" })],
  ]),
  [
    "a claim, as shipped",
    volume(claim, { readOnly: true }),
    `Persistent volume claim support is disabled, but found persistent volume claim data: \nmust not set the field(s): ${v0}.persistentVolumeClaim`,
  ],
  [
    "a claim to read from",
    volume(claim, { readOnly: true }),
    undefined,
    on({ persistentVolumeClaim: "enabled" }),
  ],
  [
    "a claim to write to",
    volume({ persistentVolumeClaim: { claimName: "data" } }),
    "Persistent volume write support is disabled, but found persistent volume claim data that is not read-only: ",
    on({ persistentVolumeClaim: "enabled" }),
  ],
  [
    "a claim to write to where that is on",
    volume({ persistentVolumeClaim: { claimName: "data" } }),
    undefined,
    on({ persistentVolumeClaim: "enabled", persistentVolumeWrite: "enabled" }),
  ],
  [
    "of nothing",
    volume({}),
    `expected exactly one, got neither: ${v0}.configMap, ${v0}.emptyDir, ${v0}.projected, ${v0}.secret`,
  ],
  [
    "of two things",
    volume({ ...configMap, emptyDir: {} }),
    `expected exactly one, got both: ${v0}.configMap, ${v0}.emptyDir`,
  ],
  [
    "without a name",
    service({ volumes: [{ name: "", ...configMap }] }),
    `missing field(s): ${v0}.name\nvolume with name "" not mounted: ${v0}.name`,
  ],
  [
    "with a name that is none",
    service({ volumes: [{ name: "A", ...configMap }] }),
    `invalid value: A: ${v0}.name\nvolume with name "A" not mounted: ${v0}.name`,
  ],
  [
    "that nobody mounts",
    service({ volumes: [{ name: "v", ...configMap }] }),
    `volume with name "v" not mounted: ${v0}.name`,
  ],
  [
    "with an item of no key",
    volume({ configMap: { name: "c", items: [{ path: "p" }] } }),
    `missing field(s): ${v0}.items[0].key`,
  ],
  [
    "with an item of no path",
    volume({ secret: { secretName: "c", items: [{ key: "k" }] } }),
    `missing field(s): ${v0}.items[0].path`,
  ],
  [
    "projected from nothing",
    projected({}),
    `expected exactly one, got neither: ${v0}.projected[0].configMap, ${v0}.projected[0].downwardAPI, ${v0}.projected[0].secret, ${v0}.projected[0].serviceAccountToken`,
  ],
  [
    "projected from two things",
    projected({ secret: { name: "s" }, configMap: { name: "c" } }),
    `expected exactly one, got both: ${v0}.projected[0].configMap, ${v0}.projected[0].secret`,
  ],
  [
    "projected from a nameless Secret",
    projected({ secret: {} }),
    `missing field(s): ${v0}.projected[0].secret.name`,
  ],
  [
    "projected from a token without a path",
    projected({ serviceAccountToken: { audience: "a" } }),
    `missing field(s): ${v0}.projected[0].serviceAccountToken.path`,
  ],
  [
    "projected from the pod, a pathless nothing",
    projected({ downwardAPI: { items: [{}] } }),
    `expected exactly one, got neither: ${v0}.projected[0].downwardAPI.items[0].fieldRef, ${v0}.projected[0].downwardAPI.items[0].resourceFieldRef\nmissing field(s): ${v0}.projected[0].downwardAPI.items[0].path`,
  ],
  [
    "projected from the pod, two things in one",
    projected({ downwardAPI: { items: [{ path: "p", fieldRef: {}, resourceFieldRef: {} }] } }),
    `Within a single item, cannot set both: ${v0}.projected[0].downwardAPI.items[0].fieldRef, ${v0}.projected[0].downwardAPI.items[0].resourceFieldRef`,
  ],
  [
    "emptyDir of another medium",
    volume({ emptyDir: { medium: "Tape" } }),
    `invalid value: Tape: ${v0}.emptyDir.medium`,
  ],
  [
    "emptyDir of a negative size",
    volume({ emptyDir: { sizeLimit: "-1Mi" } }),
    `invalid value: -1Mi: ${v0}.emptyDir.sizeLimit`,
  ],
  [
    "an image without a name",
    volume({ image: { pullPolicy: "Sometimes" } }),
    `invalid value: Sometimes: ${v0}.image.pullPolicy\nmissing field(s): ${v0}.image.reference`,
    on({ volumesImage: "enabled" }),
  ],
]);

rules("mounts", [
  [
    "of no volume",
    container({ volumeMounts: [{ name: "v", mountPath: "/v" }] }),
    `volumeMount has no matching volume: ${m0}.name`,
  ],
  ["to nowhere", volume(configMap, { mountPath: "" }), `missing field(s): ${m0}.mountPath`],
  ...["/", "/dev", "/dev/log/"].map(
    (mountPath): Row => [
      `at ${mountPath}`,
      volume(configMap, { mountPath }),
      `mountPath ${JSON.stringify(mountPath.replace(/(.)\/$/, "$1"))} is a reserved path: ${m0}.mountPath`,
    ],
  ),
  ["at a relative path", volume(configMap, { mountPath: "v" }), `invalid value: v: ${m0}.mountPath`],
  [
    "twice at one path",
    service({
      containers: [
        {
          image: "cat:v1",
          volumeMounts: [
            { name: "v", mountPath: "/v" },
            { name: "v", mountPath: "/v/" },
          ],
        },
      ],
      volumes: [{ name: "v", ...configMap }],
    }),
    `invalid value: "/v/" must be unique: ${in0}.volumeMounts[1].mountPath`,
  ],
  [
    "writable, of what may only be read",
    volume(claim),
    `volume is readOnly but volume mount is not: ${m0}.readOnly`,
    on({ persistentVolumeClaim: "enabled" }),
  ],
  [
    "that propagate, as shipped",
    volume({ emptyDir: {} }, { mountPropagation: "None" }),
    `Volume Mount Propagation support is disabled, but found volume mount v with mount propagation: \nmust not set the field(s): ${m0}.mountPropagation`,
  ],
  [
    "that propagate where that is on",
    volume({ emptyDir: {} }, { mountPropagation: "HostToContainer" }),
    undefined,
    propagation,
  ],
  [
    "that propagate both ways",
    volume({ emptyDir: {} }, { mountPropagation: "Bidirectional" }),
    `mount propagation should be set to None or HostToContainer: ${m0}.mountPropagation`,
    propagation,
  ],
]);

describe("traffic", () => {
  it.each<[string, "Service" | "Route", readonly Part[], string | undefined]>([
    ["too little", "Service", [{ percent: 99 }], "Traffic targets sum to 99, want 100: spec.traffic"],
    ["none", "Route", [], "Traffic targets sum to 0, want 100: spec.traffic"],
    [
      "shares beyond all",
      "Service",
      [{ percent: 101 }, { percent: -1, tag: "a" }],
      "expected 0 <= -1 <= 100: spec.traffic[1].percent\nexpected 0 <= 101 <= 100: spec.traffic[0].percent",
    ],
    [
      "a tag that is none",
      "Service",
      [{ percent: 100, tag: "A" }],
      `invalid value: not a DNS 1035 label: [${dns1035}]: spec.traffic.tag[0]`,
    ],
    [
      "one tag twice",
      "Service",
      [
        { percent: 50, tag: "a" },
        { percent: 50, tag: "a" },
      ],
      'Multiple definitions for "a": spec.traffic[0].tag, spec.traffic[1].tag',
    ],
    [
      "a Revision and a Configuration",
      "Route",
      [{ percent: 100, revisionName: "r", configurationName: "c" }],
      "expected exactly one, got both: spec.traffic[0].configurationName, spec.traffic[0].revisionName",
    ],
    [
      "neither",
      "Route",
      [{ percent: 100 }],
      "expected exactly one, got neither: spec.traffic[0].configurationName, spec.traffic[0].revisionName",
    ],
    ["neither, in a Service", "Service", [{ percent: 100 }], undefined],
    [
      "a Configuration in a Service",
      "Service",
      [{ percent: 100, configurationName: "c" }],
      "must not set the field(s): spec.traffic[0].configurationName",
    ],
    [
      "the latest, by name",
      "Service",
      [{ percent: 100, revisionName: "r", latestRevision: true }],
      'may not set revisionName "r" when latestRevision is true: spec.traffic[0].latestRevision',
    ],
    [
      "not the latest, and no name",
      "Service",
      [{ percent: 100, latestRevision: false }],
      'may not set revisionName "" when latestRevision is false: spec.traffic[0].latestRevision',
    ],
    [
      "a URL",
      "Service",
      [{ percent: 100, url: "http://a" }],
      "must not set the field(s): spec.traffic[0].url",
    ],
    [
      "a name that nothing has",
      "Route",
      [{ percent: 100, revisionName: "-" }],
      "invalid key name \"-\": spec.traffic[0].revisionName\nname part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
    ["a Revision that is not there yet", "Route", [{ percent: 100, revisionName: "r" }], undefined],
  ])("%s (%s)", (_name, kind, traffic, want) => {
    const given = routed(traffic, kind);
    const { denied } = kind === "Route" ? admitted(Route, given) : admitted(KnativeService, given);
    expect(said(denied)).toBe(want);
  });
});

describe("owners and signatures", () => {
  const labelled = (labels: Part, ownerReferences: readonly Part[] = []) => ({
    metadata: { name: "cat", labels, ownerReferences },
  });
  const owner = (kind: string, name: string) => ({
    apiVersion: "serving.knative.dev/v1",
    kind,
    name,
    uid: "u",
  });
  const template = { template: service().spec.template };

  it("a label that names an owner needs the owner", () => {
    const missing = "missing field(s): metadata.labels.serving.knative.dev";
    const ofService = labelled({ "serving.knative.dev/service": "cat" });
    const ofConfiguration = labelled({ "serving.knative.dev/configuration": "cat" });
    const traffic = [{ percent: 100, revisionName: "r" }];
    expect(said(admitted(Configuration, { ...ofService, spec: template }).denied)).toBe(`${missing}/service`);
    expect(said(admitted(Route, { ...ofService, spec: { traffic } }).denied)).toBe(`${missing}/service`);
    expect(said(admitted(Revision, { ...ofConfiguration, spec: template.template.spec }).denied)).toBe(
      `${missing}/configuration`,
    );
    const owned = labelled({ "serving.knative.dev/service": "cat" }, [owner("Service", "cat")]);
    expect(admitted(Configuration, { ...owned, spec: template }).denied).toBeUndefined();
  });

  it("the creator stays, and only a change of the spec has a new modifier", () => {
    const old = admitted(KnativeService, service()).object;
    const signed = (annotations: Part, more: Part = {}) => ({
      ...old,
      metadata: { ...old.metadata, annotations: { ...old.metadata.annotations, ...annotations } },
      ...more,
    });
    const update = (given: object) => said(admitted(KnativeService, given, { old, user: "bob" }).denied);
    expect(update(signed({ "serving.knative.dev/creator": "bob" }))).toBe(
      "annotation value is immutable: metadata.annotations.serving.knative.dev/creator",
    );
    expect(update(signed({ "serving.knative.dev/lastModifier": "bob" }))).toBe(
      "invalid value: bob: metadata.annotations.serving.knative.dev/lastModifier",
    );
    expect(update(signed({}, { spec: container({ image: "cat:v2" }).spec }))).toBeUndefined();
  });
});

describe("what may not change", () => {
  const change = (from: object, to: object) => {
    const old = admitted(KnativeService, from).object;
    const { metadata } = old;
    return said(admitted(KnativeService, { ...to, metadata }, { old }).denied);
  };
  const named = (image: string, metadata: Part = {}, spec: Part = {}) => ({
    metadata: { name: "cat" },
    spec: {
      template: {
        metadata: { name: "cat-one", ...metadata },
        spec: {
          ...admitted(KnativeService, service()).object.spec.template?.spec,
          ...admitted(KnativeService, container({ image })).object.spec.template?.spec,
          ...spec,
        },
      },
    },
  });
  const without =
    "Saw the following changes without a name change (-old +new): spec.template.metadata.name\n";

  it("is a template with a name of its own", () => {
    expect(change(named("cat:v1"), named("cat:v1"))).toBeUndefined();
    expect(change(named("cat:v1"), named("cat:v2"))).toBe(
      `${without}{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].Image:\n\t-: "cat:v1"\n\t+: "cat:v2"\n`,
    );
    expect(change(named("cat:v1"), named("cat:v1", { annotations: { a: "b" } }))).toBe(
      `${without}{*v1.RevisionTemplateSpec}.ObjectMeta.Annotations["a"]:\n\t+: "b"\n`,
    );
    expect(change(named("cat:v1"), named("cat:v1", {}, { timeoutSeconds: 5 }))).toBe(
      `${without}*{*v1.RevisionTemplateSpec}.Spec.TimeoutSeconds:\n\t-: "300"\n\t+: "5"\n`,
    );
    expect(change(named("cat:v1"), named("cat:v2", { name: "cat-two" }))).toBeUndefined();
  });

  it("is a Revision's spec, all of it, and nothing else of it", () => {
    const old = admitted(Revision, {
      metadata: { name: "cat-1" },
      spec: { containers: [{ image: "cat:v1" }] },
    }).object;
    const changed = (spec: Part, metadata: Part = {}) => {
      const given = { ...old, metadata: { ...old.metadata, ...metadata }, spec: { ...old.spec, ...spec } };
      return said(admitted(Revision, given, { old }).denied);
    };
    expect(changed({ containerConcurrency: 7 })).toBe(
      'Immutable fields changed (-old +new): spec\n*{v1.RevisionSpec}.ContainerConcurrency:\n\t-: "0"\n\t+: "7"\n',
    );
    expect(changed({ serviceAccountName: "me" })).toBe(
      'Immutable fields changed (-old +new): spec\n{v1.RevisionSpec}.PodSpec.ServiceAccountName:\n\t-: ""\n\t+: "me"\n',
    );
    expect(changed({}, { annotations: { "autoscaling.knative.dev/min-scale": "2" } })).toBeUndefined();
    expect(changed({}, { annotations: { "autoscaling.knative.dev/min-scale": "x" } })).toBe(
      "invalid value: x: metadata.annotations.autoscaling.knative.dev/min-scale",
    );
  });
});

describe("warnings", () => {
  const insecure =
    "Kubernetes default value is insecure, Knative may default this to secure in a future release: ";
  const sc = `${in0}.securityContext`;
  it.each<[string, Part, readonly string[]]>([
    [
      "of everything left open",
      {},
      [
        `${insecure}${["allowPrivilegeEscalation", "capabilities", "runAsNonRoot", "seccompProfile"].map((name) => `${sc}.${name}`).join(", ")}`,
      ],
    ],
    [
      "of what is half said",
      { runAsNonRoot: true, allowPrivilegeEscalation: false, seccompProfile: {}, capabilities: {} },
      [`${insecure}${sc}.capabilities.drop, ${sc}.seccompProfile.type`],
    ],
    [
      "of all in small letters",
      {
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        seccompProfile: { type: "RuntimeDefault" },
        capabilities: { drop: ["all"] },
      },
      [`invalid value: all: ${sc}.capabilities.drop Must be spelled as 'ALL'`],
    ],
  ])("%s", (_name, securityContext, want) => {
    const { denied, warnings } = admitted(KnativeService, container({ securityContext }));
    expect([denied, warnings]).toEqual([undefined, want]);
  });

  it("come no more where defaults are secure", () => {
    const { warnings } = admitted(KnativeService, service(), on({ securePodDefaults: "enabled" }));
    expect(warnings).toEqual([]);
  });

  it("come with the sidecar's percentage", () => {
    const key = "queue.sidecar.serving.knative.dev/resource-percentage";
    const { denied, warnings } = admitted(KnativeService, annotated({ [key]: "20" }));
    expect([denied, warnings.filter((one) => one.includes(key))]).toEqual([
      undefined,
      [
        `${key} is deprecated: set the resources by name instead: spec.template.metadata.annotations.[${key}]`,
      ],
    ]);
  });
});

describe("the storage initializer", () => {
  const injected = (annotations: Part) => ({
    metadata: { name: "cat" },
    spec: {
      template: {
        metadata: { annotations },
        spec: {
          initContainers: [
            {
              name: "storage-initializer",
              image: "i",
              volumeMounts: [{ name: "kserve-provision-location", mountPath: "/m" }],
            },
          ],
          volumes: [
            { name: "kserve-provision-location", emptyDir: {} },
            { name: "kserve-pvc-source", persistentVolumeClaim: { claimName: "c" } },
          ],
          containers: [
            {
              image: "cat:v1",
              volumeMounts: [
                { name: "kserve-provision-location", mountPath: "/m" },
                { name: "kserve-pvc-source", mountPath: "/p" },
              ],
            },
          ],
        },
      },
    },
  });

  it("is KServe's, put in past Knative's rules", () => {
    const uri = { "internal.serving.kserve.io/storage-initializer-sourceuri": "file:///m" };
    expect(admitted(KnativeService, injected(uri)).denied).toBeUndefined();
  });

  it("is a container like any other for whoever writes it himself", () => {
    expect(said(admitted(KnativeService, injected({})).denied)).toContain("init-containers is off");
  });
});
