// The pod template of Knative's kinds: a PodSpec plus Knative's own four fields (knative-serving.md, section 1.4).
import { type PodSpec, PodSpecSchema } from "../core/pod.types.js";
import { extend } from "../schema/embed.js";
import { type Infer, int64, list, map, obj, type Schema, str } from "../schema/index.js";
import { revisionPod } from "./template.schema.js";

const knativeFields = obj({
  containerConcurrency: int64({
    description: "How many requests one pod may handle at once; 0 means no limit.",
  }),
  timeoutSeconds: int64({ description: "How long one request may take." }),
  responseStartTimeoutSeconds: int64({ description: "How long until the first byte of the answer." }),
  idleTimeoutSeconds: int64({ description: "How long a request may be silent." }),
  buildName: str({ description: "The Build that must succeed first." }),
});

export interface RevisionSpec extends PodSpec, Infer<typeof knativeFields> {}

export const RevisionSpecSchema = {
  ...extend(revisionPod(PodSpecSchema), knativeFields),
  required: ["containers"],
} as Schema<RevisionSpec>;

export const TemplateMetadataSchema = obj(
  {
    name: str({ description: "The name of the Revision; made when empty." }),
    namespace: str(),
    labels: map(str()),
    annotations: map(str()),
    finalizers: list(str()),
  },
  { "x-kubernetes-preserve-unknown-fields": true },
);

export const RevisionTemplateSchema = obj(
  { metadata: TemplateMetadataSchema, spec: RevisionSpecSchema },
  { required: ["spec"] },
);
export interface RevisionTemplate extends Infer<typeof RevisionTemplateSchema> {}
