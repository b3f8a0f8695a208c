import { ageColumn, nameColumn, number, text } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { PodDisruptionBudget } from "./policy.types.js";

export const disruptionBudgetColumns: readonly Column<PodDisruptionBudget>[] = [
  nameColumn,
  text("Min Available", ({ spec }) => `${spec?.minAvailable ?? "N/A"}`),
  text("Max Unavailable", ({ spec }) => `${spec?.maxUnavailable ?? "N/A"}`),
  number("Allowed Disruptions", ({ status }) => status?.disruptionsAllowed ?? 0),
  ageColumn,
];
