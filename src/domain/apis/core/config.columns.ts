import { ageColumn, nameColumn, number, text } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { ConfigMap, Secret, ServiceAccount } from "./config.types.js";

export const configMapColumns: readonly Column<ConfigMap>[] = [
  nameColumn,
  number("Data", ({ data, binaryData }) => size(data) + size(binaryData)),
  ageColumn,
];

export const secretColumns: readonly Column<Secret>[] = [
  nameColumn,
  text("Type", ({ type }) => type ?? ""),
  number("Data", ({ data }) => size(data)),
  ageColumn,
];

export const serviceAccountColumns: readonly Column<ServiceAccount>[] = [
  nameColumn,
  number("Secrets", ({ secrets }) => secrets?.length ?? 0),
  ageColumn,
];

function size(map: object | undefined): number {
  return map === undefined ? 0 : Object.keys(map).length;
}
