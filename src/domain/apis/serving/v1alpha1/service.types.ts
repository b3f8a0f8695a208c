// Service in v1alpha1: what runs and how it is rolled out, in one of four modes, or inline as later versions write it.
import type { Kind } from "../../kind.js";
import { resource } from "../../meta/meta.types.js";
import { extend } from "../../schema/embed.js";
import { anyObject, type Infer, int64, list, obj, str } from "../../schema/index.js";
import { KnativeService as V1Service } from "../service.types.js";
import { duckStatusFields, readyColumns } from "../status.types.js";
import { viewKind } from "./kind.js";
import { settled, settleService } from "./leftovers.js";
import { validateService } from "./service.validation.js";
import { hostFields } from "./status.js";
import { type ConfigurationSpec, ConfigurationSpecSchema } from "./template.types.js";
import { TrafficSchema } from "./traffic.js";

const modes = obj({
  runLatest: obj(
    { configuration: ConfigurationSpecSchema },
    { description: "The latest ready Revision gets everything." },
  ),
  pinned: obj(
    { revisionName: str(), configuration: ConfigurationSpecSchema },
    { description: "One Revision gets everything." },
  ),
  release: obj(
    {
      revisions: list(str(), { description: "One, or two: current and candidate. @latest is one too." }),
      rolloutPercent: int64({ description: "The candidate's share." }),
      configuration: ConfigurationSpecSchema,
    },
    { description: "Up to two Revisions share, each under a name of its own." },
  ),
  manual: anyObject({ description: "The Configuration and the Route are the user's own." }),
  traffic: { ...TrafficSchema, description: "How traffic is shared, when no mode says so." },
});

/** Without a mode, the parts of a Configuration and a Route stand in the spec itself. */
export interface ServiceSpec extends Infer<typeof modes>, ConfigurationSpec {}

const ServiceSchema = resource(
  {
    spec: extend(modes, ConfigurationSpecSchema),
    status: obj({
      ...duckStatusFields(),
      ...hostFields(),
      traffic: TrafficSchema,
      latestCreatedRevisionName: str(),
      latestCreatedRevisionname: str(),
      latestReadyRevisionName: str(),
    }),
  },
  { required: ["spec"], description: "A workload that is routed, versioned and scaled." },
);
export interface Service extends Infer<typeof ServiceSchema> {}

export const ServiceV1alpha1: Kind<Service> = viewKind(V1Service, {
  schema: ServiceSchema,
  defaults: settled(settleService),
  validate: validateService,
  columns: [
    { name: "Domain", type: "string", jsonPath: ".status.domain" },
    { name: "LatestCreated", type: "string", jsonPath: ".status.latestCreatedRevisionName" },
    { name: "LatestReady", type: "string", jsonPath: ".status.latestReadyRevisionName" },
    ...readyColumns,
  ],
});
