// The scale subresource: one number in, two numbers out, wherever the kind keeps them.
import type { Kind, Resource } from "../../domain/apis/kind.js";
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import type { LabelSelector } from "../../domain/apis/meta/meta.types.js";
import { labelSelectorText } from "../../domain/apis/selectors/index.js";
import { badRequest, invalid, noSuchResource } from "../status.js";

export interface ScaleObject {
  readonly kind: "Scale";
  readonly apiVersion: "autoscaling/v1";
  readonly metadata: { readonly [name: string]: unknown };
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number; readonly selector?: string };
}

type Bag = { readonly [name: string]: unknown };

export function scaleOf(kind: Kind, object: Resource): ScaleObject {
  const { scale } = kind;
  if (scale === undefined) throw noSuchResource();
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const wished = read(object, scale.specReplicasPath);
  const selector = scale.labelSelectorPath === undefined ? undefined : read(object, scale.labelSelectorPath);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: typeof wished === "number" ? { replicas: wished } : {},
    status: {
      replicas: Number(read(object, scale.statusReplicasPath) ?? 0),
      ...(selector === undefined
        ? {}
        : {
            selector: typeof selector === "string" ? selector : labelSelectorText(selector as LabelSelector),
          }),
    },
  };
}

/** The object with the replicas a Scale asks for; the Scale's version counts as the object's. */
export function withScale(kind: Kind, object: Resource, scale: unknown): Resource {
  if (kind.scale === undefined) throw noSuchResource();
  if (typeof scale !== "object" || scale === null) throw badRequest("the object provided is not a Scale");
  const { spec, metadata } = scale as Partial<ScaleObject>;
  const replicas = spec?.replicas ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0) {
    throw invalid(kind, object.metadata.name, [
      fieldErrors.invalid(kind.scale.specReplicasPath, replicas, "should be a non-negative integer"),
    ]);
  }
  const version = metadata?.["resourceVersion"];
  const next = write(
    object as unknown as Bag,
    steps(kind.scale.specReplicasPath),
    replicas,
  ) as unknown as Resource;
  if (typeof version !== "string" || version === "") return next;
  return { ...next, metadata: { ...next.metadata, resourceVersion: version } };
}

function steps(path: string): readonly string[] {
  return path.split(".").filter((step) => step !== "");
}

function read(object: Resource, path: string): unknown {
  let value: unknown = object;
  for (const step of steps(path)) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Bag)[step];
  }
  return value;
}

function write(value: Bag, [step, ...rest]: readonly string[], leaf: unknown): Bag {
  if (step === undefined) return value;
  const inner = value[step];
  const next =
    rest.length === 0
      ? leaf
      : write((typeof inner === "object" && inner !== null ? inner : {}) as Bag, rest, leaf);
  return { ...value, [step]: next };
}
