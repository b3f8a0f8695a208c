// metadata and the other pieces every kind shares (meta/v1).
import {
  any,
  at,
  bool,
  embeddable,
  type Infer,
  int64,
  keyed,
  list,
  map,
  obj,
  ptr,
  type Schema,
  str,
  time,
} from "../schema/index.js";

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | undefined;
  readonly blockOwnerDeletion?: boolean | undefined;
}

export interface ManagedFieldsEntry {
  readonly manager?: string | undefined;
  readonly operation?: string | undefined;
  readonly apiVersion?: string | undefined;
  readonly time?: string | undefined;
  readonly fieldsType?: string | undefined;
  readonly fieldsV1?: unknown;
  readonly subresource?: string | undefined;
}

/** Stored objects always have name, uid, resourceVersion and creationTimestamp; bodies on their way in may not. */
export interface ObjectMeta {
  readonly name: string;
  readonly generateName?: string | undefined;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly deletionGracePeriodSeconds?: number | undefined;
  readonly labels?: { readonly [key: string]: string } | undefined;
  readonly annotations?: { readonly [key: string]: string } | undefined;
  readonly ownerReferences?: readonly OwnerReference[] | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly managedFields?: readonly ManagedFieldsEntry[] | undefined;
}

export const OwnerReferenceSchema: Schema<OwnerReference> = obj(
  {
    kind: at(1, str()),
    name: at(3, str()),
    uid: at(4, str()),
    apiVersion: at(5, str()),
    controller: ptr(6, bool()),
    blockOwnerDeletion: ptr(7, bool()),
  },
  { required: ["apiVersion", "kind", "name", "uid"], "x-kubernetes-map-type": "atomic" },
);

const ManagedFieldsEntrySchema = obj({
  manager: at(1, str()),
  operation: at(2, str()),
  apiVersion: at(3, str()),
  time: at(4, time()),
  fieldsType: at(6, str()),
  fieldsV1: at(7, any({ format: "fields-v1" })),
  subresource: at(8, str()),
});

export const ObjectMetaSchema = obj(
  {
    name: at(1, str({ description: "Unique within a namespace; cannot be changed." })),
    generateName: at(2, str({ description: "A prefix for a name the server makes when name is empty." })),
    namespace: at(3, str({ description: "The space within which the name must be unique." })),
    selfLink: at(4, str({ description: "Not used." })),
    uid: at(5, str({ description: "Unique in time and space, set by the server." })),
    resourceVersion: at(6, str({ description: "Changes with every write; compare only for equality." })),
    generation: at(7, int64({ description: "Counts changes of what is wished for." })),
    creationTimestamp: at(
      8,
      time({ nullable: true, description: "When the server stored the object first." }),
    ),
    deletionTimestamp: at(9, time({ nullable: true, description: "Set when deletion was asked for." })),
    deletionGracePeriodSeconds: ptr(10, int64({ description: "How long the object may take to end." })),
    labels: at(11, map(str(), { description: "Keys and values to select objects by." })),
    annotations: at(12, map(str(), { description: "Keys and values that are not selected by." })),
    ownerReferences: at(
      13,
      keyed(OwnerReferenceSchema, ["uid"], {
        description: "Objects this one depends on; when all are gone it goes too.",
      }),
    ),
    finalizers: at(
      14,
      list(str(), {
        "x-kubernetes-list-type": "set",
        "x-kubernetes-patch-strategy": "merge",
        description: "Who must agree before the object goes.",
      }),
    ),
    managedFields: at(
      17,
      list(ManagedFieldsEntrySchema, {
        "x-kubernetes-list-type": "atomic",
        description: "Who set which field.",
      }),
    ),
  },
  { description: "Standard metadata of an object." },
) as unknown as Schema<ObjectMeta>;

export const LabelSelectorRequirementSchema = obj(
  {
    key: at(1, str()),
    operator: at(2, str()),
    values: at(3, list(str(), { "x-kubernetes-list-type": "atomic" })),
  },
  { required: ["key", "operator"] },
);

export const LabelSelectorSchema = obj(
  {
    matchLabels: at(1, map(str())),
    matchExpressions: at(2, list(LabelSelectorRequirementSchema, { "x-kubernetes-list-type": "atomic" })),
  },
  { "x-kubernetes-map-type": "atomic" },
);
export interface LabelSelector extends Infer<typeof LabelSelectorSchema> {}

/** meta/v1 Condition, as the built-in kinds use it. */
export const ConditionSchema = obj(
  {
    type: at(1, str()),
    status: at(2, str()),
    observedGeneration: at(3, int64()),
    lastTransitionTime: at(4, time()),
    reason: at(5, str()),
    message: at(6, str()),
  },
  { required: ["type", "status"] },
);

/** The condition of Knative's duck types: meta/v1 Condition plus severity, less observedGeneration. */
export const DuckConditionSchema = obj(
  {
    type: str({ description: "What the condition is about." }),
    status: str({ description: "True, False or Unknown." }),
    severity: str({ description: "Empty means it counts for Ready; Info does not." }),
    lastTransitionTime: str({ description: "When status last changed." }),
    reason: str({ description: "One word for why." }),
    message: str({ description: "A sentence for people." }),
  },
  { required: ["type", "status"] },
);
export interface Condition extends Infer<typeof DuckConditionSchema> {}

const preconditions = embeddable({ uid: at(1, str()), resourceVersion: ptr(2, str()) });

export const DeleteOptionsSchema = obj({
  apiVersion: str(),
  kind: str(),
  gracePeriodSeconds: ptr(1, int64()),
  preconditions: at(2, obj({ ...preconditions.fields })),
  orphanDependents: ptr(3, bool()),
  propagationPolicy: at(4, str()),
  dryRun: at(5, list(str())),
});
export interface DeleteOptions extends Infer<typeof DeleteOptionsSchema> {}

/** The three members every kind's schema begins with. */
export function resourceFields() {
  return {
    apiVersion: str({ description: "The version of the schema this object is written in." }),
    kind: str({ description: "The kind of the object." }),
    metadata: at(1, ObjectMetaSchema),
  } as const;
}

/** `resource({...})`: a whole object's schema, typed with metadata required. */
export function resource<
  P extends { readonly [name: string]: Schema },
  const R extends keyof P & string = never,
>(properties: P, options: { readonly required?: readonly R[]; readonly description?: string } = {}) {
  return obj(
    { ...resourceFields(), ...properties },
    {
      required: ["apiVersion", "kind", "metadata", ...(options.required ?? [])] as (
        | "apiVersion"
        | "kind"
        | "metadata"
        | R
      )[],
      ...(options.description === undefined ? {} : { description: options.description }),
    },
  );
}
