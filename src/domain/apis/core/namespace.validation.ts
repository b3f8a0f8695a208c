import type { FieldError } from "../meta/fieldError.js";
import { quantityErrors } from "../quantity/index.js";
import {
  type LimitRange,
  LimitRangeSchema,
  type ResourceQuota,
  ResourceQuotaSchema,
} from "./namespace.types.js";

export function validateQuota(quota: ResourceQuota): readonly FieldError[] {
  return quantityErrors(ResourceQuotaSchema, quota);
}

export function validateLimitRange(range: LimitRange): readonly FieldError[] {
  return quantityErrors(LimitRangeSchema, range);
}
