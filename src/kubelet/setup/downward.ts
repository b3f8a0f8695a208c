// What a pod may ask about itself: fields and resources.
import type { Container } from "../../domain/apis/core/container.types.js";
import type { Pod } from "../../domain/apis/core/pod.types.js";
import { asNumber } from "../../domain/apis/quantity/index.js";

export interface NodeFacts {
  readonly name: string;
  readonly cpus: number;
  readonly memoryBytes: number;
}

export const podIP = "127.0.0.1";

/** undefined is a field nobody knows. */
export function fieldValue(pod: Pod, path: string, nodeName: string): string | undefined {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path);
  if (keyed !== null) return metadata[keyed[1] as "labels" | "annotations"]?.[keyed[2]!] ?? "";
  switch (path) {
    case "metadata.name":
      return metadata.name;
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid ?? "";
    case "metadata.labels":
    case "metadata.annotations":
      return mapLines(metadata[path === "metadata.labels" ? "labels" : "annotations"] ?? {});
    case "spec.nodeName":
      return nodeName;
    case "spec.serviceAccountName":
      return spec?.serviceAccountName ?? "default";
    case "status.podIP":
    case "status.podIPs":
    case "status.hostIP":
    case "status.hostIPs":
      return podIP;
    default:
      return undefined;
  }
}

function mapLines(map: { readonly [key: string]: string }): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join("\n");
}

/** limits.cpu and its like, counted in divisors and rounded up. A limit nobody set is what the machine has. */
export function resourceValue(
  container: Container,
  resource: string,
  divisor: string | undefined,
  node: NodeFacts,
): string | undefined {
  const [kind, name = ""] = splitOnce(resource);
  if (kind !== "limits" && kind !== "requests") return undefined;
  const set = container.resources?.[kind]?.[name];
  const amount = set === undefined ? unset(kind, name, node) : asNumber(set);
  if (amount === undefined) return undefined;
  const unit = divisor === undefined || divisor === "" ? 1 : asNumber(divisor) || 1;
  return String(Math.ceil(amount / unit));
}

function unset(kind: "limits" | "requests", name: string, node: NodeFacts): number | undefined {
  const whole = { cpu: node.cpus, memory: node.memoryBytes, "ephemeral-storage": 0 }[name];
  return whole === undefined ? undefined : kind === "limits" ? whole : 0;
}

function splitOnce(text: string): readonly [string, string?] {
  const dot = text.indexOf(".");
  return dot === -1 ? [text] : [text.slice(0, dot), text.slice(dot + 1)];
}
