// From ConfigMaps to one value that admission and reconcilers read.
import { autoscalerMap } from "./autoscaler.js";
import { defaultsMap } from "./defaults.js";
import { deploymentMap, queueResourceDefaults } from "./deployment.js";
import { domainMap } from "./domain.js";
import { featuresMap } from "./features.js";
import { gcMap } from "./gc.js";
import { networkMap } from "./network.js";
import { observabilityMap } from "./observability.js";
import { certManagerMap, leaderElectionMap, loggingMap, tracingMap } from "./others.js";
import { registriesMap } from "./registries.js";
import type { ServingConfig } from "./servingConfig.types.js";
import type { SettingsMap } from "./settings.js";

const read = [
  autoscalerMap,
  defaultsMap,
  deploymentMap,
  domainMap,
  featuresMap,
  gcMap,
  networkMap,
  observabilityMap,
  registriesMap,
] as const satisfies readonly SettingsMap<unknown>[];

/** Every ConfigMap that we know. */
export const servingConfigMaps: readonly SettingsMap<unknown>[] = [
  ...read,
  certManagerMap,
  leaderElectionMap,
  loggingMap,
  tracingMap,
];

/** The ConfigMaps that are read, in the namespace knative-serving. */
export const servingConfigNames: readonly string[] = read.map(({ name }) => name);

/** The data of one ConfigMap of knative-serving, or undefined when it is not there. */
export type ConfigData = (name: string) => { readonly [key: string]: string } | undefined;

/** Never fails: a value that does not parse is as if it were not there (admission refuses it before it is stored). */
export function readServingConfig(data: ConfigData): ServingConfig {
  const said = <V>(map: SettingsMap<V>): V => map.read(data(map.name) ?? {}).value;
  const features = said(featuresMap);
  const deployment = said(deploymentMap);
  const queueSidecarResources =
    features.queueProxyResourceDefaults === "enabled"
      ? { ...queueResourceDefaults, ...deployment.queueSidecarResources }
      : deployment.queueSidecarResources;
  return {
    defaults: said(defaultsMap),
    deployment: { ...deployment, queueSidecarResources },
    domains: said(domainMap),
    features,
    gc: said(gcMap),
    network: said(networkMap),
    observability: said(observabilityMap),
    autoscaler: said(autoscalerMap),
    registries: said(registriesMap),
  };
}
