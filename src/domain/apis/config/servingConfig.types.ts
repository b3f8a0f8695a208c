/**
 * What the ConfigMaps of the namespace knative-serving say, parsed (knative-serving.md, sections 5.8 and 8).
 * Admission and reconcilers read it live; each member falls back to its default when its ConfigMap says nothing.
 */

/** Whether a pod field or a behaviour may be used; `allowed` leaves the choice to each object. */
export type Flag = "enabled" | "allowed" | "disabled";

export interface ServingConfig {
  readonly defaults: DefaultsConfig;
  readonly deployment: DeploymentConfig;
  readonly domains: readonly DomainConfig[];
  readonly features: FeaturesConfig;
  readonly gc: GcConfig;
  readonly network: NetworkConfig;
  readonly observability: ObservabilityConfig;
  readonly autoscaler: AutoscalerConfig;
  readonly registries: RegistriesConfig;
}

/** config-defaults */
export interface DefaultsConfig {
  readonly revisionTimeoutSeconds: number;
  readonly maxRevisionTimeoutSeconds: number;
  readonly revisionResponseStartTimeoutSeconds: number;
  readonly revisionIdleTimeoutSeconds: number;
  /** Quantities by resource name (cpu, memory, ephemeral-storage); absent when not configured. */
  readonly requests: { readonly [resource: string]: string };
  readonly limits: { readonly [resource: string]: string };
  /** Templates over the parent's metadata, such as `{{.Name}}`. */
  readonly containerNameTemplate: string;
  readonly initContainerNameTemplate: string;
  readonly containerConcurrency: number;
  readonly containerConcurrencyMaxLimit: number;
  readonly allowContainerConcurrencyZero: boolean;
  /** undefined leaves the field to Kubernetes. */
  readonly enableServiceLinks: boolean | undefined;
}

/** config-deployment */
export interface DeploymentConfig {
  readonly queueSidecarImage: string;
  /** Resources of the sidecar: cpu-request, cpu-limit, memory-request...; absent when not configured. */
  readonly queueSidecarResources: { readonly [name: string]: string };
  readonly registriesSkippingTagResolving: readonly string[];
  readonly digestResolutionTimeoutMs: number;
  readonly progressDeadlineSeconds: number;
  readonly queueSidecarTokenAudiences: readonly string[];
  readonly defaultAffinityType: "prefer-spread-revision-over-nodes" | "none";
  readonly runtimeClassNames: readonly {
    readonly name: string;
    readonly selector: { readonly [label: string]: string };
  }[];
  readonly podIsAlwaysSchedulable: boolean;
}

/** One entry of config-domain; an empty selector matches every Route. */
export interface DomainConfig {
  readonly domain: string;
  readonly selector: { readonly [label: string]: string };
}

/** config-features; members carry the keys' own names in camel case. */
export interface FeaturesConfig {
  readonly multiContainer: Flag;
  readonly multiContainerProbing: Flag;
  readonly securePodDefaults: "disabled" | "AllowRootBounded" | "enabled";
  readonly podSpecAffinity: Flag;
  readonly podSpecTopologySpreadConstraints: Flag;
  readonly podSpecHostAliases: Flag;
  readonly podSpecNodeSelector: Flag;
  readonly podSpecTolerations: Flag;
  readonly podSpecRuntimeClassName: Flag;
  readonly podSpecSecurityContext: Flag;
  readonly podSpecShareProcessNamespace: Flag;
  readonly podSpecPriorityClassName: Flag;
  readonly podSpecSchedulerName: Flag;
  readonly podSpecInitContainers: Flag;
  readonly podSpecDnsPolicy: Flag;
  readonly podSpecDnsConfig: Flag;
  readonly podSpecHostIpc: Flag;
  readonly podSpecHostPid: Flag;
  readonly podSpecHostNetwork: Flag;
  readonly podSpecFieldRef: Flag;
  readonly containerSpecAddCapabilities: Flag;
  readonly volumesEmptyDir: Flag;
  readonly volumesHostPath: Flag;
  readonly volumesCsi: Flag;
  readonly volumesEphemeral: Flag;
  readonly volumesImage: Flag;
  readonly volumesMountPropagation: Flag;
  readonly persistentVolumeClaim: Flag;
  readonly persistentVolumeWrite: Flag;
  readonly tagHeaderBasedRouting: Flag;
  readonly autodetectHttp2: Flag;
  readonly queueProxyMountPodInfo: Flag;
  readonly queueProxyResourceDefaults: Flag;
}

/** config-gc; undefined means `disabled`. */
export interface GcConfig {
  readonly retainSinceCreateTimeMs: number | undefined;
  readonly retainSinceLastActiveTimeMs: number | undefined;
  readonly minNonActiveRevisions: number;
  readonly maxNonActiveRevisions: number | undefined;
}

/** config-network */
export interface NetworkConfig {
  readonly ingressClass: string;
  readonly certificateClass: string;
  readonly domainTemplate: string;
  readonly tagTemplate: string;
  readonly externalDomainTls: boolean;
  readonly clusterLocalDomainTls: boolean;
  readonly systemInternalTls: boolean;
  readonly httpProtocol: "Enabled" | "Redirected" | "Disabled";
  readonly rolloutDurationSeconds: number;
  readonly autocreateClusterDomainClaims: boolean;
  readonly enableMeshPodAddressability: boolean;
  readonly meshCompatibilityMode: "auto" | "enabled" | "disabled";
  readonly defaultExternalScheme: string;
}

/** config-observability */
export interface ObservabilityConfig {
  readonly enableVarLogCollection: boolean;
  /** `${REVISION_UID}` is replaced; empty means no link. */
  readonly revisionUrlTemplate: string;
  readonly requestLogTemplate: string;
  readonly enableRequestLog: boolean;
  readonly enableProbeRequestLog: boolean;
  readonly metricsProtocol: string;
  readonly metricsEndpoint: string;
  readonly requestMetricsProtocol: string;
  readonly requestMetricsEndpoint: string;
  readonly tracingProtocol: string;
  readonly tracingEndpoint: string;
  readonly tracingSamplingRate: number;
  readonly runtimeProfiling: boolean;
}

/** config-autoscaler */
export interface AutoscalerConfig {
  readonly podAutoscalerClass: string;
  readonly enableScaleToZero: boolean;
  readonly allowZeroInitialScale: boolean;
  readonly initialScale: number;
  readonly minScale: number;
  readonly maxScale: number;
  readonly maxScaleLimit: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  /** 0 < value <= 1. */
  readonly containerConcurrencyTargetFraction: number;
  readonly containerConcurrencyTargetDefault: number;
  readonly requestsPerSecondTargetDefault: number;
  readonly targetBurstCapacity: number;
  readonly activatorCapacity: number;
  readonly stableWindowMs: number;
  readonly panicWindowPercentage: number;
  readonly panicThresholdPercentage: number;
  readonly scaleDownDelayMs: number;
  readonly scaleToZeroGracePeriodMs: number;
  readonly scaleToZeroPodRetentionPeriodMs: number;
}

/** config-registries: how registries are reached. Hosts carry their port where it is not the usual one. */
export interface RegistriesConfig {
  /** Where else a registry's content is; asked in this order, before the registry itself. */
  readonly mirrors: { readonly [registry: string]: readonly string[] };
  /** Hosts that speak HTTP without TLS. */
  readonly plainHttp: readonly string[];
  /** Hosts whose certificates are not checked. */
  readonly skipTlsVerify: readonly string[];
  /** PEM; trusted beside the machine's own. */
  readonly caCertificates: string;
}
