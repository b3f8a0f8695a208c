import { ageColumn, nameColumn, text } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { Namespace, ResourceQuota } from "./namespace.types.js";

export const namespaceColumns: readonly Column<Namespace>[] = [
  nameColumn,
  text("Status", ({ status }) => status?.phase ?? ""),
  ageColumn,
];

export const quotaColumns: readonly Column<ResourceQuota>[] = [
  nameColumn,
  ageColumn,
  text("Request", (quota) => usage(quota, (name) => !name.startsWith("limits."))),
  text("Limit", (quota) => usage(quota, (name) => name.startsWith("limits."))),
];

function usage({ spec, status }: ResourceQuota, shown: (name: string) => boolean): string {
  const hard = status?.hard ?? spec?.hard ?? {};
  return Object.keys(hard)
    .filter(shown)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${hard[name]}`)
    .join(", ");
}
