// Targets of traffic: v1's `tag` is v1alpha1's `name`.
import { type FieldError, fieldErrors } from "../../meta/fieldError.js";
import { type Infer, list, obj, str } from "../../schema/index.js";
import { type TrafficTarget as V1Target, TrafficTargetSchema as V1TargetSchema } from "../traffic.types.js";
import type { Form } from "./form.js";

const NameSchema = obj({ name: str({ description: "A name of its own for this target." }) });

export const TrafficSchema = list({
  ...V1TargetSchema,
  properties: { ...NameSchema.properties, ...V1TargetSchema.properties },
} as typeof V1TargetSchema & typeof NameSchema);
export type Target = V1Target & Infer<typeof NameSchema>;

export function targetToV1(target: Target): V1Target {
  const { name, ...same } = target;
  return name === undefined ? same : { ...same, tag: name };
}

export function targetFromV1(target: V1Target, form: Form = {}): Target {
  const { tag, ...same } = target;
  if (tag === undefined) return same;
  return form.tag === true ? target : { name: tag, ...same };
}

export function trafficForm(traffic: readonly Target[]): Form {
  return traffic.some((target) => target.tag !== undefined) ? { tag: true } : {};
}

export function targetErrors(traffic: readonly Target[], path: string): readonly FieldError[] {
  const named = traffic.some((target) => target.name !== undefined);
  return traffic.flatMap((target, index) =>
    named && target.tag !== undefined
      ? [fieldErrors.forbidden(`${path}[${index}].tag`, "may not be used beside name: they are the same")]
      : [],
  );
}
