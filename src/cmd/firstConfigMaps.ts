// The ConfigMaps of knative-serving as a new instance has them: its domain, what KServe needs, and all there is to set explained.
import {
  exampleChecksum,
  exampleChecksumAnnotation,
  exampleKey,
  exampleOf,
  servingConfigMaps,
} from "../domain/apis/config/index.js";
import { ConfigMap } from "../domain/apis/core/config.types.js";
import type { Client, Unsaved } from "../ports/index.js";

const namespace = "knative-serving";
const domainName = "config-domain";
/** The domain that we wrote: when the instance gets another, that line is ours to replace. */
const domainAnnotation = "drydock.dev/domain";

/** What KServe's own installation asks to be allowed, so that a predictor may say where it runs and what it mounts. */
const settings: { readonly [name: string]: { readonly [key: string]: string } } = {
  "config-features": {
    "kubernetes.podspec-affinity": "enabled",
    "kubernetes.podspec-nodeselector": "enabled",
    "kubernetes.podspec-tolerations": "enabled",
    "kubernetes.podspec-persistent-volume-claim": "enabled",
    "kubernetes.podspec-persistent-volume-write": "enabled",
  },
};

export function firstConfigMaps(domain: string): readonly Unsaved<ConfigMap>[] {
  return servingConfigMaps.map((map): Unsaved<ConfigMap> => {
    const example = exampleOf(map);
    const ours = map.name === domainName;
    return {
      metadata: {
        name: map.name,
        namespace,
        labels: {
          "app.kubernetes.io/name": "knative-serving",
          "app.kubernetes.io/component": map.component,
        },
        annotations: {
          [exampleChecksumAnnotation]: exampleChecksum(example),
          ...(ours ? { [domainAnnotation]: domain } : {}),
        },
      },
      data: { [exampleKey]: example, ...(ours ? { [domain]: "" } : (settings[map.name] ?? {})) },
    };
  });
}

/** An instance that is started with another domain than before moves to it, unless its user has taken that over. */
export async function followDomain(client: Client, domain: string): Promise<void> {
  const live = await client.get(ConfigMap, { namespace, name: domainName });
  const before = live?.metadata.annotations?.[domainAnnotation];
  if (live === undefined || before === undefined || before === domain || live.data?.[before] !== "") return;
  const { [before]: _gone, ...rest } = live.data;
  const annotations = { ...live.metadata.annotations, [domainAnnotation]: domain };
  await client.update(ConfigMap, {
    ...live,
    metadata: { ...live.metadata, annotations },
    data: { ...rest, [domain]: "" },
  });
}
