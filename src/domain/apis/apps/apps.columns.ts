import {
  ageColumn,
  containerImages,
  containerNames,
  nameColumn,
  number,
  selectorText,
  text,
  wide,
} from "../columns/index.js";
import type { Column } from "../kind.js";
import type { Deployment, ReplicaSet } from "./apps.types.js";

type Workload = Deployment | ReplicaSet;

const templateColumns: readonly Column<Workload>[] = [
  wide(text("Containers", ({ spec }) => containerNames(spec?.template?.spec?.containers))),
  wide(text("Images", ({ spec }) => containerImages(spec?.template?.spec?.containers))),
  wide(text("Selector", ({ spec }) => selectorText(spec?.selector))),
];

export const deploymentColumns: readonly Column<Deployment>[] = [
  nameColumn,
  text(
    "Ready",
    ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    "Ready pods, of those wished for.",
  ),
  text("Up-to-date", ({ status }) => status?.updatedReplicas ?? 0, "Pods made from the newest template."),
  text("Available", ({ status }) => status?.availableReplicas ?? 0, "Pods ready for minReadySeconds."),
  ageColumn,
  ...templateColumns,
];

export const replicaSetColumns: readonly Column<ReplicaSet>[] = [
  nameColumn,
  number("Desired", ({ spec }) => spec?.replicas ?? 0),
  number("Current", ({ status }) => status?.replicas ?? 0),
  number("Ready", ({ status }) => status?.readyReplicas ?? 0),
  ageColumn,
  ...templateColumns,
];
