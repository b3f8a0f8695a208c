// Route: which Revisions a name reaches, and in what shares (serving.knative.dev/v1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, obj, str } from "../schema/index.js";
import { defaultRoute } from "./serving.defaults.js";
import { judgeRoute } from "./serving.validation.js";
import { duckStatusFields, readyColumns } from "./status.types.js";
import { AddressableSchema, TrafficSchema } from "./traffic.types.js";

const RouteSchema = resource(
  {
    spec: obj({ traffic: TrafficSchema }),
    status: obj({ ...duckStatusFields(), url: str(), address: AddressableSchema, traffic: TrafficSchema }),
  },
  { required: ["spec"], description: "Which Revisions a name reaches, and in what shares." },
);
export interface Route extends Infer<typeof RouteSchema> {}

export const Route: Kind<Route> = defineKind<Route>({
  group: "serving.knative.dev",
  version: "v1",
  kind: "Route",
  plural: "routes",
  shortNames: ["rt"],
  categories: ["all", "knative", "serving"],
  description: "Which Revisions a name reaches, and in what shares.",
  schema: RouteSchema,
  defaults: defaultRoute,
  webhook: judgeRoute,
  columns: [{ name: "URL", type: "string", jsonPath: ".status.url" }, ...readyColumns],
});
