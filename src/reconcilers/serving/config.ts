// The ConfigMaps of knative-serving as reconcilers read them: live, and a change of one wakes whom it concerns.
import { type Watch, watch } from "../../controller/index.js";
import { readServingConfig, type ServingConfig, servingConfigNames } from "../../domain/apis/config/index.js";
import { ConfigMap } from "../../domain/apis/core/config.types.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import type { Listers } from "../../ports/index.js";

const namespace = "knative-serving";

/** Parsed once per change of what is listed. */
export function liveServingConfig(listers: Listers): () => ServingConfig {
  const maps = listers(ConfigMap);
  let seen: readonly (ConfigMap | undefined)[] = [];
  let config: ServingConfig | undefined;
  return () => {
    const now = servingConfigNames.map((name) => maps.get({ namespace, name }));
    if (config === undefined || now.some((map, index) => map !== seen[index])) {
      seen = now;
      config = readServingConfig((name) => now[servingConfigNames.indexOf(name)]?.data);
    }
    return config;
  };
}

/** Wakes every object of a kind when one of the named ConfigMaps changes. */
export function whenConfigChanges<T extends Resource>(
  listers: Listers,
  kind: Kind<T>,
  ...names: readonly string[]
): Watch {
  return watch(ConfigMap, ({ metadata }) =>
    metadata.namespace === namespace && names.includes(metadata.name)
      ? listers(kind)
          .list({})
          .map((one) => ({ namespace: one.metadata.namespace ?? "", name: one.metadata.name }))
      : [],
  );
}
