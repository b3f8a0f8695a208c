/**
 * The part of a template that is not the user's: KServe's webhook puts the storage initializer and its volumes into
 * the pod after Knative has admitted the template, so Knative's rules never see them. We have no such webhook: our
 * InferenceService writes them into the template, and they are left out of what is judged.
 */
import type { Container } from "../core/container.types.js";
import type { PodSpec } from "../core/pod.types.js";
import { kserve } from "./keys.js";
import type { Annotations } from "./metadata.validation.js";

const initializer = "storage-initializer";
const volumePrefix = "kserve-";

export function withoutInjected(spec: PodSpec, annotations: Annotations = {}): PodSpec {
  if (!Object.hasOwn(annotations, kserve.sourceUri)) return spec;
  const own = (one: { readonly name?: string }) => one.name?.startsWith(volumePrefix) !== true;
  const unmounted = (container: Container): Container => {
    const { volumeMounts, ...rest } = container;
    return volumeMounts === undefined ? container : { ...rest, volumeMounts: volumeMounts.filter(own) };
  };
  const { initContainers, volumes, ...rest } = spec;
  const inits = initContainers?.filter((one) => one.name !== initializer) ?? [];
  const kept = volumes?.filter(own) ?? [];
  return {
    ...rest,
    containers: spec.containers.map(unmounted),
    ...(inits.length === 0 ? {} : { initContainers: inits.map(unmounted) }),
    ...(kept.length === 0 ? {} : { volumes: kept }),
  };
}
