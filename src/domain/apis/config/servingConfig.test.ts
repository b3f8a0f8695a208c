import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readServingConfig, type ServingConfig, servingConfigMaps } from "./index.js";

type Data = { readonly [key: string]: string };

/** The configuration when one ConfigMap says something. */
function having(name: string, data: Data): ServingConfig {
  return readServingConfig((one) => (one === `config-${name}` ? data : undefined));
}

const nothing = readServingConfig(() => undefined);

describe("without a ConfigMap", () => {
  it("every default is the documented one", () => {
    expect(nothing).toMatchObject({
      defaults: {
        revisionTimeoutSeconds: 300,
        maxRevisionTimeoutSeconds: 600,
        revisionResponseStartTimeoutSeconds: 300,
        revisionIdleTimeoutSeconds: 0,
        requests: {},
        limits: {},
        containerNameTemplate: "user-container",
        initContainerNameTemplate: "init-container",
        containerConcurrency: 0,
        containerConcurrencyMaxLimit: 1000,
        allowContainerConcurrencyZero: true,
        enableServiceLinks: false,
      },
      deployment: {
        queueSidecarImage: "drydock/queue",
        queueSidecarResources: { "cpu-request": "25m" },
        registriesSkippingTagResolving: ["kind.local", "ko.local", "dev.local"],
        digestResolutionTimeoutMs: 10_000,
        progressDeadlineSeconds: 120,
        queueSidecarTokenAudiences: [],
        defaultAffinityType: "prefer-spread-revision-over-nodes",
        runtimeClassNames: [],
        podIsAlwaysSchedulable: false,
      },
      domains: [{ domain: "svc.cluster.local", selector: {} }],
      gc: {
        retainSinceCreateTimeMs: 172_800_000,
        retainSinceLastActiveTimeMs: 54_000_000,
        minNonActiveRevisions: 20,
        maxNonActiveRevisions: 1000,
      },
      network: {
        ingressClass: "istio.ingress.networking.knative.dev",
        certificateClass: "cert-manager.certificate.networking.knative.dev",
        domainTemplate: "{{.Name}}.{{.Namespace}}.{{.Domain}}",
        tagTemplate: "{{.Tag}}-{{.Name}}",
        externalDomainTls: false,
        clusterLocalDomainTls: false,
        systemInternalTls: false,
        httpProtocol: "Enabled",
        rolloutDurationSeconds: 0,
        autocreateClusterDomainClaims: false,
        enableMeshPodAddressability: false,
        meshCompatibilityMode: "auto",
        defaultExternalScheme: "http",
      },
      observability: {
        enableVarLogCollection: false,
        revisionUrlTemplate: "",
        enableRequestLog: false,
        enableProbeRequestLog: false,
        metricsProtocol: "none",
        metricsEndpoint: "",
        requestMetricsProtocol: "none",
        requestMetricsEndpoint: "",
        tracingProtocol: "none",
        tracingEndpoint: "",
        tracingSamplingRate: 0,
        runtimeProfiling: false,
      },
      autoscaler: {
        podAutoscalerClass: "kpa.autoscaling.knative.dev",
        enableScaleToZero: true,
        allowZeroInitialScale: false,
        initialScale: 1,
        minScale: 0,
        maxScale: 0,
        maxScaleLimit: 0,
        maxScaleUpRate: 1000,
        maxScaleDownRate: 2,
        containerConcurrencyTargetFraction: 0.7,
        containerConcurrencyTargetDefault: 100,
        requestsPerSecondTargetDefault: 200,
        targetBurstCapacity: 211,
        activatorCapacity: 100,
        stableWindowMs: 60_000,
        panicWindowPercentage: 10,
        panicThresholdPercentage: 200,
        scaleDownDelayMs: 0,
        scaleToZeroGracePeriodMs: 30_000,
        scaleToZeroPodRetentionPeriodMs: 0,
      },
    });
    expect(nothing.observability.requestLogTemplate).toContain('"requestMethod"');
  });

  it("only multi-container and emptyDir are open among the features", () => {
    const open = Object.entries(nothing.features).filter(([, flag]) => flag !== "disabled");
    expect(Object.fromEntries(open)).toEqual({ multiContainer: "enabled", volumesEmptyDir: "enabled" });
  });

  it.each(servingConfigMaps.map((map) => [map.name, map] as const))(
    "what %s documents as default is its default",
    (_name, map) => {
      const written = map.settings.flatMap(({ key, standard }) =>
        standard === undefined || map.known === undefined ? [] : [[key, standard] as const],
      );
      const read = map.read(Object.fromEntries(written));
      expect(read.faults).toEqual([]);
      expect(read.value).toEqual(map.read({}).value);
    },
  );
});

type Member = [key: string, text: string, member: string, value: unknown];

describe("a good value is read", () => {
  const check = (name: string, section: keyof ServingConfig, rows: readonly Member[]) =>
    describe(`config-${name}`, () => {
      it.each(rows)("%s: %j", (key, text, member, value) => {
        const before = nothing[section] as unknown as { readonly [member: string]: unknown };
        expect(having(name, { [key]: text })[section]).toEqual({ ...before, [member]: value });
      });
    });

  check("defaults", "defaults", [
    ["max-revision-timeout-seconds", "3600", "maxRevisionTimeoutSeconds", 3600],
    ["revision-response-start-timeout-seconds", "10", "revisionResponseStartTimeoutSeconds", 10],
    ["revision-idle-timeout-seconds", "20", "revisionIdleTimeoutSeconds", 20],
    ["revision-cpu-request", "400m", "requests", { cpu: "400m" }],
    ["revision-memory-request", "1024Mi", "requests", { memory: "1Gi" }],
    ["revision-ephemeral-storage-request", "500M", "requests", { "ephemeral-storage": "500M" }],
    ["revision-cpu-limit", "1000m", "limits", { cpu: "1" }],
    ["revision-memory-limit", "200M", "limits", { memory: "200M" }],
    ["revision-ephemeral-storage-limit", "750M", "limits", { "ephemeral-storage": "750M" }],
    ["container-name-template", "{{.Name}}-c", "containerNameTemplate", "{{.Name}}-c"],
    ["init-container-name-template", "i-{{.Namespace}}", "initContainerNameTemplate", "i-{{.Namespace}}"],
    ["container-concurrency", "7", "containerConcurrency", 7],
    ["container-concurrency-max-limit", "2147483647", "containerConcurrencyMaxLimit", 2_147_483_647],
    ["allow-container-concurrency-zero", "F", "allowContainerConcurrencyZero", false],
    ["enable-service-links", "TRUE", "enableServiceLinks", true],
    ["enable-service-links", "default", "enableServiceLinks", undefined],
  ]);
  check("deployment", "deployment", [
    ["queue-sidecar-image", "example.com/queue:v1", "queueSidecarImage", "example.com/queue:v1"],
    ["queueSidecarImage", "example.com/old", "queueSidecarImage", "example.com/old"],
    [
      "registries-skipping-tag-resolving",
      "a.example, b.example,",
      "registriesSkippingTagResolving",
      ["a.example", "b.example"],
    ],
    [
      "registriesSkippingTagResolving",
      "registry.example.com",
      "registriesSkippingTagResolving",
      ["registry.example.com"],
    ],
    ["digest-resolution-timeout", "1500ms", "digestResolutionTimeoutMs", 1500],
    ["digestResolutionTimeout", "2s", "digestResolutionTimeoutMs", 2000],
    ["progress-deadline", "10m", "progressDeadlineSeconds", 600],
    ["progressDeadline", "1h", "progressDeadlineSeconds", 3600],
    ["queue-sidecar-cpu-request", "100m", "queueSidecarResources", { "cpu-request": "100m" }],
    ["queueSidecarCPURequest", "1", "queueSidecarResources", { "cpu-request": "1" }],
    ["queue-sidecar-cpu-limit", "1", "queueSidecarResources", { "cpu-request": "25m", "cpu-limit": "1" }],
    [
      "queueSidecarMemoryLimit",
      "1Gi",
      "queueSidecarResources",
      { "cpu-request": "25m", "memory-limit": "1Gi" },
    ],
    [
      "queue-sidecar-memory-request",
      "1Mi",
      "queueSidecarResources",
      { "cpu-request": "25m", "memory-request": "1Mi" },
    ],
    [
      "queue-sidecar-ephemeral-storage-request",
      "1G",
      "queueSidecarResources",
      { "cpu-request": "25m", "ephemeral-storage-request": "1G" },
    ],
    [
      "queueSidecarEphemeralStorageLimit",
      "1G",
      "queueSidecarResources",
      { "cpu-request": "25m", "ephemeral-storage-limit": "1G" },
    ],
    ["queue-sidecar-token-audiences", "a, b", "queueSidecarTokenAudiences", ["a", "b"]],
    ["default-affinity-type", "none", "defaultAffinityType", "none"],
    [
      "runtime-class-name",
      'gvisor: {}\nkata:\n  selector:\n    safe: "true"\n',
      "runtimeClassNames",
      [
        { name: "gvisor", selector: {} },
        { name: "kata", selector: { safe: "true" } },
      ],
    ],
    ["pod-is-always-schedulable", "true", "podIsAlwaysSchedulable", true],
  ]);
  check("gc", "gc", [
    ["retain-since-create-time", "1h30m", "retainSinceCreateTimeMs", 5_400_000],
    ["retain-since-create-time", "Disabled", "retainSinceCreateTimeMs", undefined],
    ["retain-since-create-time", "", "retainSinceCreateTimeMs", 172_800_000],
    ["retain-since-last-active-time", "0", "retainSinceLastActiveTimeMs", 0],
    ["retain-since-last-active-time", "disabled", "retainSinceLastActiveTimeMs", undefined],
    ["min-non-active-revisions", "0", "minNonActiveRevisions", 0],
    ["max-non-active-revisions", "20", "maxNonActiveRevisions", 20],
    ["max-non-active-revisions", "disabled", "maxNonActiveRevisions", undefined],
  ]);
  check("network", "network", [
    ["ingress-class", "x", "ingressClass", "x"],
    ["ingress.class", "old", "ingressClass", "old"],
    ["certificate-class", "x", "certificateClass", "x"],
    ["certificate.class", "old", "certificateClass", "old"],
    [
      "domain-template",
      "{{.Name}}-{{.Namespace}}.{{.Domain}}",
      "domainTemplate",
      "{{.Name}}-{{.Namespace}}.{{.Domain}}",
    ],
    ["domainTemplate", "{{.Name}}.{{.Domain}}", "domainTemplate", "{{.Name}}.{{.Domain}}"],
    ["tag-template", "{{.Name}}-{{.Tag}}", "tagTemplate", "{{.Name}}-{{.Tag}}"],
    ["tagTemplate", "t-{{.Tag}}", "tagTemplate", "t-{{.Tag}}"],
    ["external-domain-tls", "ENABLED", "externalDomainTls", true],
    ["auto-tls", "enabled", "externalDomainTls", true],
    ["autoTLS", "Enabled", "externalDomainTls", true],
    ["external-domain-tls", "perhaps", "externalDomainTls", false],
    ["cluster-local-domain-tls", "Enabled", "clusterLocalDomainTls", true],
    ["system-internal-tls", "enabled", "systemInternalTls", true],
    ["internal-encryption", "true", "systemInternalTls", true],
    ["http-protocol", "redirected", "httpProtocol", "Redirected"],
    ["httpProtocol", "Disabled", "httpProtocol", "Disabled"],
    ["rollout-duration", "120", "rolloutDurationSeconds", 120],
    ["rolloutDuration", "60", "rolloutDurationSeconds", 60],
    ["autocreate-cluster-domain-claims", "true", "autocreateClusterDomainClaims", true],
    ["autocreateClusterDomainClaims", "true", "autocreateClusterDomainClaims", true],
    ["enable-mesh-pod-addressability", "true", "enableMeshPodAddressability", true],
    ["mesh-compatibility-mode", "Disabled", "meshCompatibilityMode", "disabled"],
    ["mesh-compatibility-mode", "sometimes", "meshCompatibilityMode", "auto"],
    ["default-external-scheme", "https", "defaultExternalScheme", "https"],
    ["defaultExternalScheme", "https", "defaultExternalScheme", "https"],
  ]);
  check("observability", "observability", [
    ["logging.enable-var-log-collection", "true", "enableVarLogCollection", true],
    [
      "logging.revision-url-template",
      `http://logs/\${REVISION_UID}`,
      "revisionUrlTemplate",
      `http://logs/\${REVISION_UID}`,
    ],
    ["logging.request-log-template", "{{.Request.Method}}", "requestLogTemplate", "{{.Request.Method}}"],
    ["logging.enable-request-log", "true", "enableRequestLog", true],
    ["logging.enable-probe-request-log", "true", "enableProbeRequestLog", true],
    ["metrics-protocol", "prometheus", "metricsProtocol", "prometheus"],
    ["request-metrics-protocol", "prometheus", "requestMetricsProtocol", "prometheus"],
    ["runtime-profiling", "enabled", "runtimeProfiling", true],
    ["tracing-protocol", "stdout", "tracingProtocol", "stdout"],
    ["tracing-sampling-rate", "0.1", "tracingSamplingRate", 0.1],
  ]);
  check("autoscaler", "autoscaler", [
    [
      "pod-autoscaler-class",
      "hpa.autoscaling.knative.dev",
      "podAutoscalerClass",
      "hpa.autoscaling.knative.dev",
    ],
    ["enable-scale-to-zero", "false", "enableScaleToZero", false],
    ["allow-zero-initial-scale", "1", "allowZeroInitialScale", true],
    ["initial-scale", "3", "initialScale", 3],
    ["min-scale", "2", "minScale", 2],
    ["max-scale", "5", "maxScale", 5],
    ["max-scale-up-rate", "1.5", "maxScaleUpRate", 1.5],
    ["max-scale-down-rate", "10", "maxScaleDownRate", 10],
    ["container-concurrency-target-percentage", "50", "containerConcurrencyTargetFraction", 0.5],
    ["container-concurrency-target-percentage", "0.9", "containerConcurrencyTargetFraction", 0.9],
    ["container-concurrency-target-percentage", "1", "containerConcurrencyTargetFraction", 1],
    ["container-concurrency-target-default", "10", "containerConcurrencyTargetDefault", 10],
    ["requests-per-second-target-default", "0.01", "requestsPerSecondTargetDefault", 0.01],
    ["target-burst-capacity", "-1", "targetBurstCapacity", -1],
    ["activator-capacity", "1", "activatorCapacity", 1],
    ["stable-window", "6s", "stableWindowMs", 6000],
    ["panic-window-percentage", "100", "panicWindowPercentage", 100],
    ["panic-threshold-percentage", "-3", "panicThresholdPercentage", -3],
    ["scale-down-delay", "15m", "scaleDownDelayMs", 900_000],
    ["scale-to-zero-grace-period", "1ms", "scaleToZeroGracePeriodMs", 1],
    ["scale-to-zero-pod-retention-period", "1m5s", "scaleToZeroPodRetentionPeriodMs", 65_000],
  ]);
  check("features", "features", [
    ["multi-container", "Disabled", "multiContainer", "disabled"],
    ["kubernetes.podspec-hostipc", "ALLOWED", "podSpecHostIpc", "allowed"],
    ["kubernetes.podspec-volumes-emptydir", "disabled", "volumesEmptyDir", "disabled"],
    ["kubernetes.containerspec-addcapabilities", "enabled", "containerSpecAddCapabilities", "enabled"],
    ["secure-pod-defaults", "allowrootbounded", "securePodDefaults", "AllowRootBounded"],
    ["tag-header-based-routing", "on", "tagHeaderBasedRouting", "disabled"],
  ]);
});

describe("keys that depend on each other", () => {
  it("the response may start as late as the request may end, wherever that is set", () => {
    const { defaults } = having("defaults", { "revision-timeout-seconds": "200" });
    expect(defaults.revisionResponseStartTimeoutSeconds).toBe(200);
  });

  it("a new key wins over its legacy spelling", () => {
    const { deployment, network } = readServingConfig((name) =>
      name === "config-deployment"
        ? { progressDeadline: "5m", "progress-deadline": "7m" }
        : name === "config-network"
          ? {
              "auto-tls": "enabled",
              "external-domain-tls": "disabled",
              "ingress.class": "a",
              "ingress-class": "b",
            }
          : undefined,
    );
    expect(deployment.progressDeadlineSeconds).toBe(420);
    expect(network).toMatchObject({ externalDomainTls: false, ingressClass: "b" });
  });

  it("no initial pod is a choice where it is allowed", () => {
    const { autoscaler } = having("autoscaler", {
      "initial-scale": "0",
      "allow-zero-initial-scale": "true",
    });
    expect(autoscaler.initialScale).toBe(0);
  });

  it("the queue-proxy gets limits where nobody names any and the feature is on", () => {
    const { deployment } = readServingConfig((name) =>
      name === "config-features"
        ? { "queueproxy.resource-defaults": "Enabled" }
        : name === "config-deployment"
          ? { "queue-sidecar-memory-limit": "1Gi" }
          : undefined,
    );
    expect(deployment.queueSidecarResources).toEqual({
      "cpu-request": "25m",
      "cpu-limit": "1",
      "memory-request": "400Mi",
      "memory-limit": "1Gi",
    });
  });

  it("a key at fault has its default, the others what they say", () => {
    const { autoscaler } = having("autoscaler", {
      "stable-window": "1s",
      "max-scale-up-rate": "fast",
      "min-scale": "9",
      "max-scale": "3",
      "activator-capacity": "50",
    });
    expect(autoscaler).toEqual({ ...nothing.autoscaler, activatorCapacity: 50 });
  });
});

describe("config-domain", () => {
  it.each<[string, Data, ServingConfig["domains"]]>([
    ["an empty text is for every Route", { localhost: "" }, [{ domain: "localhost", selector: {} }]],
    ["a wildcard is too", { "example.com": "type: wildcard" }, [{ domain: "example.com", selector: {} }]],
    [
      "with selectors only, the rest stays inside the cluster",
      { "prod.example.com": "selector:\n  app: prod\n", _example: "example.com: |\n" },
      [
        { domain: "prod.example.com", selector: { app: "prod" } },
        { domain: "svc.cluster.local", selector: {} },
      ],
    ],
    [
      "one that cannot be read is not there",
      { "a.example": "selector: [", "b.example": "" },
      [{ domain: "b.example", selector: {} }],
    ],
  ])("%s", (_sentence, data, domains) => {
    expect(having("domain", data).domains).toEqual(domains);
  });
});

it("never throws, whatever the ConfigMaps hold", () => {
  const keys = servingConfigMaps.flatMap(({ known }) => known ?? ["example.com"]);
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "",
      "-1",
      "0",
      "1",
      "99999999999999999999",
      "1e400",
      "NaN",
      "disabled",
      "true",
      "-3s",
      "1h",
    ),
    fc.constantFrom(
      "{{",
      "{{.Name}",
      "{{if .Name}}",
      "{{index .Labels}}",
      "a: [",
      "- a\n b: {",
      "selector: 1",
    ),
    fc.string({ unit: fc.constantFrom("{", "}", ".", "-", ":", " ", "\n", '"', "a", "[", "#", "'") }),
  );
  const data = fc.dictionary(fc.oneof(fc.constantFrom(...keys, "__proto__", "_example"), fc.string()), texts);
  fc.assert(
    fc.property(data, (one) => {
      const config = readServingConfig(() => one);
      expect(config.autoscaler.maxScaleUpRate).toBeGreaterThan(1);
      for (const map of servingConfigMaps) map.read(one);
    }),
    { numRuns: 500 },
  );
});
