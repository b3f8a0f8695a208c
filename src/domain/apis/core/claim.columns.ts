import { ageColumn, nameColumn, text, wide } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { PersistentVolumeClaim } from "./claim.types.js";

const modes: { readonly [mode: string]: string } = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

export const claimColumns: readonly Column<PersistentVolumeClaim>[] = [
  nameColumn,
  text("Status", ({ metadata, status }) =>
    metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating",
  ),
  text("Volume", ({ spec }) => spec?.volumeName ?? ""),
  text("Capacity", ({ spec, status }) =>
    (spec?.volumeName ?? "") === "" ? "" : (status?.capacity?.["storage"] ?? ""),
  ),
  text("Access Modes", ({ spec, status }) =>
    (spec?.volumeName ?? "") === ""
      ? ""
      : (status?.accessModes ?? []).map((mode) => modes[mode] ?? mode).join(","),
  ),
  text("StorageClass", ({ spec }) => spec?.storageClassName ?? ""),
  text("VolumeAttributesClass", ({ spec }) => spec?.volumeAttributesClassName ?? "<unset>"),
  ageColumn,
  wide(text("VolumeMode", ({ spec }) => spec?.volumeMode ?? "<unset>")),
];
