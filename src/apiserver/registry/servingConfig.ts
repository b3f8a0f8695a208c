// The ConfigMaps that rule serving, parsed once per change of theirs.
import { readServingConfig, type ServingConfig, servingConfigNames } from "../../domain/apis/config/index.js";
import type { ConfigMap } from "../../domain/apis/core/config.types.js";
import type { Collection } from "./collection.js";
import { keyOf, type Stored } from "./stored.js";

export function servingConfigOf(configMaps: Collection): () => ServingConfig {
  let seen: readonly (Stored | undefined)[] = [];
  let config: ServingConfig | undefined;
  return () => {
    const now = servingConfigNames.map((name) => configMaps.latest(keyOf("knative-serving", name)));
    if (config === undefined || now.some((stored, index) => stored !== seen[index])) {
      seen = now;
      config = readServingConfig(
        (name) => (now[servingConfigNames.indexOf(name)]?.object as ConfigMap | undefined)?.data,
      );
    }
    return config;
  };
}
