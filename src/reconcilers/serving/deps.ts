import type { Deps } from "../../controller/index.js";
import type { ServingConfig } from "../../domain/apis/config/index.js";
import type { ActivatorProbe, Deciders, ImageDigests, IngressProber } from "../../ports/index.js";

export interface Settings {
  /** What external hosts end in: NAME.NAMESPACE.DOMAIN (config-domain). */
  readonly domain: string;
  /** Where the external gateway listens; part of URLs unless it is 80. */
  readonly externalPort: number;
  /** Where requests are held for a Revision that sleeps; undefined where nobody does that. */
  readonly activator?: { readonly host: string; readonly port: number } | undefined;
  /** Where the embedded API listens, which serves logs; undefined on a cluster, whose API cannot. */
  readonly apiUrl?: string | undefined;
}

/** What the serving reconcilers are given beyond the common. */
export interface ServingDeps extends Deps {
  readonly digests: ImageDigests;
  readonly prober: IngressProber;
  readonly deciders: Deciders;
  readonly activatorProbe: ActivatorProbe;
  readonly settings: () => Settings;
  /** What the ConfigMaps of knative-serving say now (`liveServingConfig`). */
  readonly config: () => ServingConfig;
}
