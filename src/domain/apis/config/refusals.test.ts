import { describe, expect, it } from "vitest";
import type { ConfigMap } from "../core/config.types.js";
import { judgeServingConfigMap } from "./admission.js";
import { exampleChecksum, exampleOf, servingConfigMaps } from "./index.js";

type Data = { readonly [key: string]: string };

function judged(name: string, data: Data, annotations: Data = {}) {
  const metadata = { name, namespace: "knative-serving", annotations };
  return judgeServingConfigMap({ apiVersion: "v1", kind: "ConfigMap", metadata, data } as ConfigMap);
}

const denied = (name: string, data: Data) => judged(name, data)?.denied?.replace(/^validation failed: /, "");

type Row = [key: string, text: string, message: string];

function refuses(name: string, rows: readonly Row[]) {
  describe(name, () => {
    it.each(rows)("%s: %j", (key, text, message) => {
      expect(denied(name, { [key]: text })).toBe(message);
    });
  });
}

const syntax = (key: string, parser: string, text = "many") =>
  `failed to parse "${key}": strconv.${parser}: parsing "${text}": invalid syntax`;
const quantityRule =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTPE]*[-+]?[0-9]*)$'";

refuses("config-defaults", [
  ["revision-timeout-seconds", "many", syntax("revision-timeout-seconds", "ParseInt")],
  [
    "revision-timeout-seconds",
    "601",
    "revision-timeout-seconds (601) cannot be greater than max-revision-timeout-seconds (600)",
  ],
  ["max-revision-timeout-seconds", "10s", syntax("max-revision-timeout-seconds", "ParseInt", "10s")],
  [
    "max-revision-timeout-seconds",
    "299",
    "revision-timeout-seconds (300) cannot be greater than max-revision-timeout-seconds (299)",
  ],
  [
    "revision-response-start-timeout-seconds",
    "301",
    "revision-response-start-timeout-seconds (301) cannot be greater than revision-timeout-seconds (300)",
  ],
  [
    "revision-idle-timeout-seconds",
    "301",
    "revision-idle-timeout-seconds (301) cannot be greater than revision-timeout-seconds (300)",
  ],
  [
    "revision-idle-timeout-seconds",
    "9223372036854775808",
    'failed to parse "revision-idle-timeout-seconds": strconv.ParseInt: parsing "9223372036854775808": value out of range',
  ],
  ["revision-cpu-request", "lots", `failed to parse "revision-cpu-request": ${quantityRule}`],
  ["revision-memory-limit", "", `failed to parse "revision-memory-limit": ${quantityRule}`],
  [
    "container-name-template",
    "{{.Name",
    "container-name-template: template: container-template:1: unclosed action",
  ],
  [
    "container-name-template",
    "{{.Nome}}",
    `container-name-template: error executing template: template: container-template:1: executing "container-template" at <.Nome>: can't evaluate field Nome`,
  ],
  [
    "init-container-name-template",
    "{{lower .Name}}",
    'init-container-name-template: template: container-template:1: function "lower" not defined',
  ],
  ["container-concurrency", "-1", "expected 0 <= -1 <= 1000: container-concurrency"],
  ["container-concurrency", "1001", "expected 0 <= 1001 <= 1000: container-concurrency"],
  ["container-concurrency-max-limit", "0", "expected 1 <= 0 <= 2147483647: container-concurrency-max-limit"],
  [
    "container-concurrency-max-limit",
    "2147483648",
    "expected 1 <= 2147483648 <= 2147483647: container-concurrency-max-limit",
  ],
  ["allow-container-concurrency-zero", "yes", syntax("allow-container-concurrency-zero", "ParseBool", "yes")],
]);

refuses("config-deployment", [
  [
    "queue-sidecar-tls-min-version",
    "1.1",
    'queue-sidecar-tls-min-version: "1.1" is no TLS version: it must be 1.2 or 1.3',
  ],
  [
    "queue-sidecar-tls-curve-preferences",
    "X25519, P-256",
    'queue-sidecar-tls-curve-preferences: "P-256" is no curve known here: X25519MLKEM768, X25519, CurveP256, CurveP384, CurveP521',
  ],
  ["queue-sidecar-image", "", "queue-sidecar-image cannot be empty or unset"],
  ["digest-resolution-timeout", "0s", "digest-resolution-timeout cannot be a non-positive duration, was 0s"],
  [
    "digestResolutionTimeout",
    "-1.5s",
    "digest-resolution-timeout cannot be a non-positive duration, was -1.5s",
  ],
  [
    "digest-resolution-timeout",
    "10",
    'failed to parse "digest-resolution-timeout": time: missing unit in duration "10"',
  ],
  ["progress-deadline", "0", "progress-deadline cannot be a non-positive duration, was 0s"],
  ["progress-deadline", "1m500ms", "progress-deadline must be rounded to a whole second, was: 1m0.5s"],
  [
    "progressDeadline",
    "2 minutes",
    'failed to parse "progressDeadline": time: unknown unit " minutes" in duration "2 minutes"',
  ],
  ["queue-sidecar-cpu-request", "x", `failed to parse "queue-sidecar-cpu-request": ${quantityRule}`],
  ["queueSidecarMemoryLimit", "x", `failed to parse "queueSidecarMemoryLimit": ${quantityRule}`],
  ["default-affinity-type", "spread", 'unsupported default-affinity-type value: "spread"'],
  [
    "runtime-class-name",
    "gvisor",
    "runtime-class-name cannot be parsed, please check the format: expected a map from runtime class to its selector",
  ],
  [
    "runtime-class-name",
    "kata:\n  selector: safe\n",
    "runtime-class-name cannot be parsed, please check the format: kata: expected selector to be a map of labels",
  ],
  [
    "runtime-class-name",
    "Kata: {}",
    "runtime-class-name name Kata: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ],
  ["pod-is-always-schedulable", "", syntax("pod-is-always-schedulable", "ParseBool", "")],
]);

refuses("config-domain", [
  [
    "example.com",
    "selector:\n app: x\n\tb: y",
    "example.com: line 3: found character that cannot start any token (a tab)",
  ],
  [
    "example.com",
    "selectors:\n  app: x",
    'example.com: unknown field "selectors", expected selector or type',
  ],
  [
    "example.com",
    "selector:\n  version: 1",
    "example.com: selector: the value of version is not a text, quote it",
  ],
  ["example.com", "wildcard", "example.com: expected a map with a selector"],
]);

refuses("config-registries", [
  [
    "plain-http",
    "http://localhost:5000",
    'plain-http: "http://localhost:5000" is not a registry\'s host, such as registry.example.com:5000',
  ],
  [
    "skip-tls-verify",
    "a b",
    'skip-tls-verify: "a b" is not a registry\'s host, such as registry.example.com:5000',
  ],
  ["ca-certificates", "trust me", "ca-certificates: expected certificates as PEM"],
  [
    "mirrors",
    "localhost",
    "mirrors cannot be parsed, please check the format: expected a map from registry to a list of hosts",
  ],
  [
    "mirrors",
    "docker.io: mirror.example.com",
    "mirrors cannot be parsed, please check the format: docker.io: expected a list of hosts",
  ],
  [
    "mirrors",
    "docker.io:\n- https://mirror.example.com",
    'mirrors: "https://mirror.example.com" is not a registry\'s host, such as registry.example.com:5000',
  ],
]);

it("config-deployment: the oldest TLS is not newer than the newest", () => {
  const versions = { "queue-sidecar-tls-min-version": "1.3", "queue-sidecar-tls-max-version": "1.2" };
  expect(denied("config-deployment", versions)).toBe(
    "queue-sidecar-tls-min-version is above queue-sidecar-tls-max-version",
  );
});

it("config-registries: a host without TLS has no certificate to skip", () => {
  expect(
    denied("config-registries", { "plain-http": "a.example, b.example", "skip-tls-verify": "b.example" }),
  ).toBe("b.example is in plain-http, where there is no certificate, and in skip-tls-verify");
  expect(
    denied("config-registries", {
      mirrors: "docker.io:\n- localhost:5000\n",
      "plain-http": "a.example:5000,[::1]:5000",
    }),
  ).toBeUndefined();
});

refuses("config-gc", [
  ["retain-since-create-time", "-1h", "failed to parse retain-since-create-time: must be non-negative"],
  [
    "retain-since-create-time",
    "2d",
    'failed to parse retain-since-create-time: time: unknown unit "d" in duration "2d"',
  ],
  [
    "retain-since-last-active-time",
    "-1ns",
    "failed to parse retain-since-last-active-time: must be non-negative",
  ],
  ["min-non-active-revisions", "-1", "min-non-active-revisions must be non-negative, was: -1"],
  ["min-non-active-revisions", "many", syntax("min-non-active-revisions", "ParseInt")],
  [
    "min-non-active-revisions",
    "1001",
    "min-non-active-revisions(1001) must be <= max-non-active-revisions(1000)",
  ],
  ["max-non-active-revisions", "19", "min-non-active-revisions(20) must be <= max-non-active-revisions(19)"],
  ["max-non-active-revisions", "-5", "failed to parse max-non-active-revisions: must be non-negative"],
  [
    "max-non-active-revisions",
    "all",
    'failed to parse max-non-active-revisions: strconv.ParseInt: parsing "all": invalid syntax',
  ],
]);

refuses("config-network", [
  ["domain-template", "{{.Name}}.{{.Domain}}/{{.Namespace}}", "domain template has url path: /bar"],
  ["domain-template", "", "domain-template: empty hostname"],
  ["domain-template", "{{.Name", "template: domain-template:1: unclosed action"],
  [
    "domain-template",
    "{{.Service}}.{{.Domain}}",
    `template: domain-template:1: executing "domain-template" at <.Service>: can't evaluate field Service`,
  ],
  ["domainTemplate", "{{end}}", "domainTemplate: template: domain-template:1: unexpected {{end}}"],
  [
    "tag-template",
    "{{.Tag}}-{{.Namespace}}",
    `template: tag-template:1: executing "tag-template" at <.Namespace>: can't evaluate field Namespace`,
  ],
  [
    "cluster-local-domain-tls",
    "on",
    'cluster-local-domain-tls with value: "on" in config-network ConfigMap is not supported',
  ],
  [
    "system-internal-tls",
    "true",
    'system-internal-tls with value: "true" in config-network ConfigMap is not supported',
  ],
  ["internal-encryption", "enabled", syntax("internal-encryption", "ParseBool", "enabled")],
  ["http-protocol", "h2", "httpProtocol h2 in config-network ConfigMap is not supported"],
  ["rollout-duration", "-5", "rollout-duration must be a positive integer, but was -5"],
  ["rollout-duration", "5s", syntax("rollout-duration", "Atoi", "5s")],
  ["rolloutDuration", "", syntax("rolloutDuration", "Atoi", "")],
  ["autocreate-cluster-domain-claims", "ja", syntax("autocreate-cluster-domain-claims", "ParseBool", "ja")],
  ["enable-mesh-pod-addressability", "2", syntax("enable-mesh-pod-addressability", "ParseBool", "2")],
  [
    "namespace-wildcard-cert-selector",
    "matchLabel: {}",
    'failed to parse "namespace-wildcard-cert-selector": unknown field "matchLabel", expected matchLabels or matchExpressions',
  ],
  [
    "namespace-wildcard-cert-selector",
    "matchExpressions:\n- key: a\n  operator: Near\n",
    'failed to parse "namespace-wildcard-cert-selector": matchExpressions: "Near" is not a valid label selector operator',
  ],
]);

refuses("config-observability", [
  ["logging.enable-request-log", "ok", syntax("logging.enable-request-log", "ParseBool", "ok")],
  [
    "logging.request-log-template",
    "{{.Request",
    "logging.request-log-template: template: requestLog:1: unclosed action",
  ],
  ["metrics-protocol", "opencensus", 'metrics-protocol: unsupported protocol "opencensus"'],
  ["metrics-protocol", "grpc", 'metrics-endpoint: endpoint should be set when protocol is "grpc"'],
  ["metrics-endpoint", "x:80", 'metrics-endpoint: endpoint should not be set when protocol is "none"'],
  [
    "metrics-export-interval",
    "-5s",
    'metrics-export-interval: export interval "-5s" should be greater than zero',
  ],
  [
    "request-metrics-protocol",
    "http/protobuf",
    'request-metrics-endpoint: endpoint should be set when protocol is "http/protobuf"',
  ],
  ["runtime-profiling", "true", 'runtime-profiling: unsupported profile setting "true"'],
  ["tracing-protocol", "zipkin", 'tracing-protocol: unsupported protocol "zipkin"'],
  ["tracing-protocol", "grpc", 'tracing-endpoint: endpoint should be set when protocol is "grpc"'],
  ["tracing-sampling-rate", "1.1", "tracing-sampling-rate: sampling rate 1.1 should be between 0 and 1"],
]);

refuses("config-autoscaler", [
  [
    "enable-scale-to-zero",
    "no",
    `failed to parse data: ${syntax("enable-scale-to-zero", "ParseBool", "no")}`,
  ],
  [
    "initial-scale",
    "0",
    "initial-scale = 0, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)",
  ],
  [
    "initial-scale",
    "-1",
    "initial-scale = -1, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)",
  ],
  [
    "initial-scale",
    "2147483648",
    'failed to parse data: failed to parse "initial-scale": strconv.ParseInt: parsing "2147483648": value out of range',
  ],
  ["min-scale", "-1", "min-scale = -1, must be at least 0"],
  ["max-scale", "-1", "max-scale = -1, must be in [0, max-scale-limit(0)] range"],
  ["max-scale-limit", "5", "max-scale = 0, must be in [1, max-scale-limit(5)] range"],
  ["max-scale-limit", "-5", "max-scale-limit = -5, must be at least 0"],
  ["max-scale-up-rate", "1", "max-scale-up-rate = 1, must be greater than 1.0"],
  ["max-scale-down-rate", "0.00001", "max-scale-down-rate = 1e-05, must be greater than 1.0"],
  [
    "max-scale-down-rate",
    "NaN",
    `failed to parse data: ${syntax("max-scale-down-rate", "ParseFloat", "NaN")}`,
  ],
  [
    "container-concurrency-target-percentage",
    "0",
    "container-concurrency-target-percentage = 0.000000 is outside of valid range of (0, 100]",
  ],
  [
    "container-concurrency-target-percentage",
    "101",
    "container-concurrency-target-percentage = 1.010000 is outside of valid range of (0, 100]",
  ],
  [
    "container-concurrency-target-default",
    "0.01",
    "container-concurrency-target-percentage and container-concurrency-target-default yield target concurrency of 0.006999999999999999, can't be less than 0.01",
  ],
  [
    "requests-per-second-target-default",
    "0.001",
    "requests-per-second-target-default must be at least 0.01, was: 0.001",
  ],
  [
    "target-burst-capacity",
    "-2",
    "target-burst-capacity must be either non-negative or -1 (for unlimited), was: -2.000000",
  ],
  ["activator-capacity", "0.5", "activator-capacity = 0.5, must be at least 1"],
  ["stable-window", "5s", "stable-window = 5s, must be in [6s; 1h0m0s] range"],
  ["stable-window", "2h", "stable-window = 2h0m0s, must be in [6s; 1h0m0s] range"],
  ["stable-window", "6.1s", "stable-window = 6.1s, must be specified with at most second precision"],
  ["panic-window-percentage", "0.5", "panic-window-percentage = 0.5, must be in [1, 100] interval"],
  [
    "panic-threshold-percentage",
    "x",
    `failed to parse data: ${syntax("panic-threshold-percentage", "ParseFloat", "x")}`,
  ],
  ["scale-down-delay", "-1s", "scale-down-delay cannot be negative, was: -1s"],
  ["scale-down-delay", "1500ms", "scale-down-delay = 1.5s, must be specified with at most second precision"],
  ["scale-to-zero-grace-period", "0s", "scale-to-zero-grace-period must be positive, was: 0s"],
  [
    "scale-to-zero-pod-retention-period",
    "-4s",
    "scale-to-zero-pod-retention-period cannot be negative, was: -4s",
  ],
  [
    "scale-to-zero-pod-retention-period",
    "soon",
    'failed to parse data: failed to parse "scale-to-zero-pod-retention-period": time: invalid duration "soon"',
  ],
]);

refuses("config-leader-election", [
  ["buckets", "0", "buckets: value must be between 1 <= 0 <= 10"],
  ["buckets", "some", syntax("buckets", "ParseUint", "some")],
  ["lease-duration", "flops", 'failed to parse "lease-duration": time: invalid duration "flops"'],
]);
refuses("config-logging", [
  ["loglevel.webhook", "loud", 'loglevel.webhook: unrecognized level: "loud"'],
  ["zap-logger-config", "{", "zap-logger-config: not valid JSON"],
]);
refuses("config-certmanager", [["issuerRef", "me", "issuerRef: expected kind and name of an issuer"]]);

describe("several keys", () => {
  it("are all named at once", () => {
    expect(denied("config-gc", { "min-non-active-revisions": "x", "max-non-active-revisions": "-1" })).toBe(
      [
        syntax("min-non-active-revisions", "ParseInt", "x"),
        "failed to parse max-non-active-revisions: must be non-negative",
      ].join("\n"),
    );
  });

  it.each<[string, Data, string]>([
    [
      "config-autoscaler",
      { "min-scale": "3", "max-scale": "2" },
      "min-scale (3) must be less than max-scale (2)",
    ],
    [
      "config-autoscaler",
      { "max-scale": "9", "max-scale-limit": "5" },
      "max-scale = 9, must be in [1, max-scale-limit(5)] range",
    ],
    [
      "config-observability",
      { "logging.enable-request-log": "true", "logging.request-log-template": "" },
      '"logging.enable-request-log" was set to true, but no "logging.request-log-template" was specified',
    ],
  ])("of %s go together or not: %j", (name, data, message) => {
    expect(denied(name, data)).toBe(message);
  });

  it("a bad legacy spelling is refused though the new one is good", () => {
    expect(denied("config-network", { rolloutDuration: "x", "rollout-duration": "1" })).toBe(
      syntax("rolloutDuration", "Atoi", "x"),
    );
  });
});

describe("warnings", () => {
  it.each<[string, Data, readonly string[]]>([
    [
      "config-gc",
      { "retain-since-create-tme": "1h" },
      [
        'config-gc: unknown key "retain-since-create-tme" is ignored; the nearest known key is "retain-since-create-time"',
      ],
    ],
    ["config-gc", { zzz: "" }, ['config-gc: unknown key "zzz" is ignored']],
    [
      "config-features",
      { "multi-container": "enbled" },
      ['config-features: multi-container: "enbled" is none of enabled, allowed, disabled and is ignored'],
    ],
    ["config-domain", { "any.example": "" }, []],
    ["config-deployment", { registriesSkippingTagResolving: "registry.example.com" }, []],
  ])("%s %j", (name, data, warnings) => {
    expect(judged(name, data)).toEqual({ webhook: "config.webhook.serving.knative.dev", warnings });
  });
});

it("many unknown keys are told in few lines", () => {
  const data = Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`x${at}`, ""]));
  const { warnings = [] } = judged("config-gc", data) ?? {};
  expect(warnings).toHaveLength(21);
  expect(warnings.at(-1)).toBe("config-gc: 5 more unknown keys are ignored");
});

describe("whom it concerns", () => {
  it.each([
    ["knative-serving", "config-other"],
    ["default", "config-gc"],
  ])("not %s/%s", (namespace, name) => {
    const metadata = { name, namespace };
    const data = { "min-non-active-revisions": "x" };
    expect(
      judgeServingConfigMap({ apiVersion: "v1", kind: "ConfigMap", metadata, data } as ConfigMap),
    ).toBeUndefined();
  });
});

describe("_example", () => {
  const annotation = "knative.dev/example-checksum";

  it.each([
    ["123456789", "cbf43926"],
    ["\n 123456789 \n\n", "cbf43926"],
    ["1", "83dcefb7"],
    ["a somewhat\r\n\r\nlonger\n\n\ntext", "2b4ed320"],
    ["", "00000000"],
  ])("the checksum of %j is %s", (text, checksum) => {
    expect(exampleChecksum(text)).toBe(checksum);
  });

  it("counts a run of line ends as one, however they are written", () => {
    expect(exampleChecksum("a\r\n\nb\u00e9")).toBe(exampleChecksum("a\nb\u00e9"));
    expect(exampleChecksum("a\nb")).toBe(exampleChecksum("a\\nb"));
  });

  it("edited without its checksum, it is refused in words that say where settings go", () => {
    expect(judged("config-gc", { _example: "edited" }, { [annotation]: "00000000" })?.denied).toBe(
      'validation failed: the update modifies a key in "_example" which is probably not what you want. Instead, copy the respective setting to the top-level of the ConfigMap, directly below "data"',
    );
  });

  it("is free where nothing is promised, or the promise is kept", () => {
    expect(judged("config-gc", { _example: "edited" })?.denied).toBeUndefined();
    const kept = { [annotation]: exampleChecksum("edited") };
    expect(judged("config-gc", { _example: "edited" }, kept)?.denied).toBeUndefined();
  });

  it.each(servingConfigMaps.map((map) => [map.name, map] as const))("of %s names every key", (_name, map) => {
    const text = exampleOf(map);
    for (const { key } of map.settings) expect(text).toContain(`${key}:`);
  });
});
