// What every Knative status has.
import { DuckConditionSchema } from "../meta/meta.types.js";
import { int64, list, map, str } from "../schema/index.js";

export function duckStatusFields() {
  return {
    observedGeneration: int64({ description: "The generation this status speaks of." }),
    conditions: list(DuckConditionSchema, {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
      description: "What is known, sorted by type.",
    }),
    annotations: map(str()),
  } as const;
}

/** The two columns that every Knative kind ends with. */
export const readyColumns = [
  { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
] as const;
