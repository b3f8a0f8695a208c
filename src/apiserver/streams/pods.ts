// What every streaming verb must know of its pod before it starts.
import type { Pod } from "../../domain/apis/core/pod.types.js";
import type { Resource } from "../../domain/apis/kind.js";
import type { PodRef, PodRuntime } from "../../ports/index.js";
import type { Call } from "../http/call.js";
import { badRequest, notFound, refusal } from "../status.js";

export interface FoundPod {
  readonly pod: Pod;
  readonly ref: PodRef;
}

export function findPod({ house: { registry } }: Call, namespace: string, name: string): FoundPod {
  const served = registry.served.find("", "v1", "pods");
  const object = served && registry.get(served, namespace, name)?.object;
  if (object === undefined) throw notFound({ group: "", plural: "pods" }, name);
  return { pod: object as Resource as Pod, ref: { namespace, name, uid: object.metadata.uid ?? "" } };
}

export function requireHost({ pod, ref }: FoundPod): void {
  if ((pod.spec?.nodeName ?? "") === "") throw badRequest(`pod ${ref.name} does not have a host assigned`);
}

export function runtimeOf({ house: { podRuntime } }: Call): PodRuntime {
  if (podRuntime !== undefined) return podRuntime;
  throw refusal("ServiceUnavailable", "this server runs no pods: there is no node to ask", {});
}

/** The container that was asked for, or the only one there is. */
export function containerOf({ pod, ref }: FoundPod, asked: string): string {
  const inits = (pod.spec?.initContainers ?? []).map((one) => one.name);
  const mains = (pod.spec?.containers ?? []).map((one) => one.name);
  const passing = (pod.spec?.ephemeralContainers ?? []).map((one) => one.name);
  const all = [...inits, ...mains, ...passing];
  if (asked !== "") {
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${ref.name}`);
  }
  const usual = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  if (usual !== undefined && mains.includes(usual)) return usual;
  const [only] = mains;
  if (only !== undefined && all.length === 1) return only;
  throw badRequest(
    `a container name must be specified for pod ${ref.name}, choose one of: [${all.join(" ")}]`,
  );
}
