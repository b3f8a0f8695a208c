// Route in v1alpha1: targets have a `name`, and the Route a `domain`.
import type { AdmissionContext, Kind } from "../../kind.js";
import type { FieldError } from "../../meta/fieldError.js";
import { resource } from "../../meta/meta.types.js";
import { type Infer, obj } from "../../schema/index.js";
import { Route as V1Route } from "../route.types.js";
import { duckStatusFields, readyColumns } from "../status.types.js";
import { viewKind } from "./kind.js";
import { hostFields } from "./status.js";
import { TrafficSchema, targetErrors } from "./traffic.js";

const RouteSchema = resource(
  {
    spec: obj({ traffic: TrafficSchema }),
    status: obj({ ...duckStatusFields(), ...hostFields(), traffic: TrafficSchema }),
  },
  { required: ["spec"], description: "Which Revisions a name reaches, and in what shares." },
);
export interface Route extends Infer<typeof RouteSchema> {}

export const RouteV1alpha1: Kind<Route> = viewKind(V1Route, {
  schema: RouteSchema,
  validate,
  columns: [{ name: "Domain", type: "string", jsonPath: ".status.domain" }, ...readyColumns],
});

function validate({ spec }: Route, { subresource }: AdmissionContext<Route>): readonly FieldError[] {
  return subresource === "status" ? [] : targetErrors(spec.traffic ?? [], "spec.traffic");
}
