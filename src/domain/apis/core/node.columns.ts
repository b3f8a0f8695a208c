import { ageColumn, joinedOrNone, nameColumn, none, text, wide } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { Node } from "./node.types.js";

export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  text("Status", statusText),
  text("Roles", ({ metadata }) => joinedOrNone(roles(metadata.labels ?? {}))),
  ageColumn,
  text("Version", ({ status }) => status?.nodeInfo?.kubeletVersion ?? ""),
  wide(text("Internal-IP", (node) => address(node, "InternalIP"))),
  wide(text("External-IP", (node) => address(node, "ExternalIP"))),
  wide(text("OS-Image", ({ status }) => status?.nodeInfo?.osImage || "<unknown>")),
  wide(text("Kernel-Version", ({ status }) => status?.nodeInfo?.kernelVersion || "<unknown>")),
  wide(text("Container-Runtime", ({ status }) => status?.nodeInfo?.containerRuntimeVersion || "<unknown>")),
];

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find((one) => one.type === "Ready");
  const word = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

const rolePrefix = "node-role.kubernetes.io/";

function roles(labels: { readonly [key: string]: string }): readonly string[] {
  const named = Object.keys(labels)
    .filter((key) => key.startsWith(rolePrefix) && key.length > rolePrefix.length)
    .map((key) => key.slice(rolePrefix.length));
  const old = labels["kubernetes.io/role"];
  return [...named, ...(old === undefined || old === "" ? [] : [old])].sort();
}

function address({ status }: Node, type: string): string {
  return status?.addresses?.find((one) => one.type === type)?.address ?? none;
}
