import { ageColumn, joinedOrNone, labelsText, nameColumn, none, text, wide } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { Service, ServicePort } from "./service.types.js";

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  text("Type", (service) => service.spec?.type ?? ""),
  text("Cluster-IP", (service) => service.spec?.clusterIPs?.[0] || service.spec?.clusterIP || none),
  text("External-IP", externalText),
  text("Port(s)", (service) => joinedOrNone((service.spec?.ports ?? []).map(portText))),
  ageColumn,
  wide(text("Selector", (service) => labelsText(service.spec?.selector))),
];

function portText({ port, nodePort, protocol }: ServicePort): string {
  const node = nodePort === undefined || nodePort === 0 ? "" : `:${nodePort}`;
  return `${port}${node}/${protocol ?? "TCP"}`;
}

function externalText({ spec, status }: Service): string {
  if (spec?.type === "ExternalName") return spec.externalName ?? none;
  const addresses = spec?.externalIPs ?? [];
  if (spec?.type !== "LoadBalancer") return joinedOrNone(addresses);
  const ingress = (status?.loadBalancer?.ingress ?? []).map((one) => one.ip || one.hostname || "");
  return [...ingress.filter((one) => one !== ""), ...addresses].join(",") || "<pending>";
}
