// PodDisruptionBudget and Eviction (policy/v1).

import { defineKind, type Kind } from "../kind.js";
import { ConditionSchema, DeleteOptionsSchema, LabelSelectorSchema, resource } from "../meta/meta.types.js";
import {
  at,
  type Infer,
  int32,
  int64,
  intOrString,
  keyed,
  map,
  obj,
  ptr,
  str,
  time,
} from "../schema/index.js";
import { disruptionBudgetColumns } from "./policy.columns.js";
import { validateDisruptionBudget } from "./policy.validation.js";

export const EvictionSchema = resource({
  deleteOptions: at(2, DeleteOptionsSchema),
});

export interface Eviction extends Infer<typeof EvictionSchema> {}

export const PodDisruptionBudgetSpecSchema = obj({
  minAvailable: ptr(1, intOrString()),
  selector: at(2, { ...LabelSelectorSchema, "x-kubernetes-patch-strategy": "replace" }),
  maxUnavailable: ptr(3, intOrString()),
  unhealthyPodEvictionPolicy: at(4, str()),
});

export const PodDisruptionBudgetStatusSchema = obj({
  observedGeneration: at(1, int64()),
  disruptedPods: at(2, map(time())),
  disruptionsAllowed: at(3, int32()),
  currentHealthy: at(4, int32()),
  desiredHealthy: at(5, int32()),
  expectedPods: at(6, int32()),
  conditions: at(7, keyed(ConditionSchema, ["type"])),
});

export const PodDisruptionBudgetSchema = resource({
  spec: at(2, PodDisruptionBudgetSpecSchema),
  status: at(3, PodDisruptionBudgetStatusSchema),
});

export interface PodDisruptionBudget extends Infer<typeof PodDisruptionBudgetSchema> {}

export const PodDisruptionBudget: Kind<PodDisruptionBudget> = defineKind<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  shortNames: ["pdb"],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: true,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "How many pods may be disturbed at once.",
  schema: PodDisruptionBudgetSchema,
  columns: disruptionBudgetColumns,
  validate: validateDisruptionBudget,
});
