// Build: steps that run to completion before a Revision, each in a container (build.knative.dev/v1alpha1).
import { ContainerSchema, ContainerStateSchema } from "../core/container.types.js";
import { VolumeSchema } from "../core/volume.types.js";
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { embedded, extend } from "../schema/embed.js";
import { anyObject, type Infer, list, obj, str } from "../schema/index.js";
import { duckStatusFields } from "../serving/status.types.js";
import { defaultBuild } from "./build.defaults.js";
import { validateBuild } from "./build.validation.js";

const SourceSchema = obj(
  {
    git: obj(
      {
        url: str({ description: "The repository, as git itself takes it." }),
        revision: str({
          description: "A branch, a tag or a commit; empty means the repository's own choice.",
        }),
      },
      { required: ["url"], description: "A repository, checked out." },
    ),
    http: obj(
      { url: str({ description: "A file; an archive is unpacked." }) },
      { required: ["url"], description: "A download." },
    ),
    // A container that fills /workspace itself.
    custom: embedded(ContainerSchema),
  },
  { description: "What the first step finds in /workspace: one of these." },
);

/** Also a part of Configuration and Service, where a Build is written inline. */
export const BuildSpecSchema = obj(
  {
    serviceAccountName: str({ description: "Whom the steps run as." }),
    source: SourceSchema,
    steps: list(embedded(ContainerSchema), {
      description: "Run one after the other, all in the same /workspace.",
    }),
    volumes: list(embedded(VolumeSchema), { description: "What steps may mount besides /workspace." }),
    timeout: str({ description: "How long all steps together may take, such as 10m or 1h30m." }),
    template: anyObject({ description: "Refused: there are no build templates here." }),
  },
  { description: "What to run." },
);
export interface BuildSpec extends Infer<typeof BuildSpecSchema> {}

const StepStateSchema = extend(
  obj({ name: str({ description: "The step's container: `kubectl logs POD -c NAME`." }) }),
  embedded(ContainerStateSchema),
);

const BuildSchema = resource(
  {
    spec: BuildSpecSchema,
    status: obj({
      ...duckStatusFields(),
      buildLogsLink: str({ description: "Opens the log of the step that failed, or else of the latest." }),
      startTime: str(),
      completionTime: str(),
      stepsCompleted: list(str()),
      stepStates: list(StepStateSchema),
      cluster: obj({ namespace: str(), podName: str() }, { description: "Where the steps run." }),
    }),
  },
  { required: ["spec"], description: "Steps that run to completion." },
);
export interface Build extends Infer<typeof BuildSchema> {}

export const Build: Kind<Build> = defineKind<Build>({
  group: "build.knative.dev",
  version: "v1alpha1",
  kind: "Build",
  plural: "builds",
  categories: ["all", "knative"],
  nameRule: "dns1035",
  description: "Steps that run to completion, such as those that make what a Revision runs.",
  schema: BuildSchema,
  defaults: defaultBuild,
  validate: validateBuild,
  columns: [
    {
      name: "Succeeded",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Succeeded")].status',
    },
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Succeeded")].reason' },
    { name: "StartTime", type: "date", jsonPath: ".status.startTime" },
    { name: "CompletionTime", type: "date", jsonPath: ".status.completionTime" },
  ],
});
