// Objects as the API would have stored them, for worlds that begin in the middle of a story.
import { readServingConfig } from "../../src/domain/apis/config/index.js";
import { apiVersionOf, type Kind, type Resource } from "../../src/domain/apis/kind.js";
import { isoSeconds } from "../../src/domain/apis/meta/time.js";
import { applyDefaults } from "../../src/domain/apis/schema/index.js";
import type { StoreWrite, Unsaved } from "../../src/ports/index.js";
import { worldStartMs } from "./clock.js";

/** An object that is there already: identity, time, generation and defaults are filled in where not given. */
export function existing<T extends Resource>(kind: Kind<T>, object: Unsaved<T>): T {
  const { metadata } = object;
  const namespace = kind.namespaced ? (metadata.namespace ?? "default") : undefined;
  const whole = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    ...object,
    metadata: {
      ...metadata,
      ...(namespace === undefined ? {} : { namespace }),
      uid: metadata.uid ?? [kind.kind.toLowerCase(), namespace, metadata.name].filter(Boolean).join("-"),
      creationTimestamp: metadata.creationTimestamp ?? isoSeconds(worldStartMs),
      ...(kind.hasGeneration ? { generation: metadata.generation ?? 1 } : {}),
    },
  } as unknown as T;
  const filled = applyDefaults(kind.schema, whole) as T;
  const user = { name: "system:admin", groups: ["system:masters"] };
  const config = () => readServingConfig(() => undefined);
  const context = { operation: "create", subresource: "", old: undefined, user, config } as const;
  return JSON.parse(JSON.stringify(kind.defaults?.(filled, context) ?? filled));
}

/** The child with its owner's reference, as a controller would have made it. */
export function ownedChild<T extends Resource>(owner: Resource, child: T): T {
  const reference = {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
  return { ...child, metadata: { ...child.metadata, ownerReferences: [reference] } };
}

export function asWrite(kind: Kind, object: Resource, revision: number): StoreWrite {
  const { namespace = "", name } = object.metadata;
  const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  return {
    key: `${kind.group}/${kind.plural}/${kind.namespaced ? namespace : ""}/${name}`,
    revision,
    value: JSON.stringify(stamped),
  };
}
