import { supported } from "../core/container.validation.js";
import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { EndpointSlice } from "./discovery.types.js";

const addressTypes = ["FQDN", "IPv4", "IPv6"];
const mostEndpoints = 1000;

export function validateEndpointSlice(
  slice: EndpointSlice,
  { old }: AdmissionContext<EndpointSlice>,
): readonly FieldError[] {
  const count = slice.endpoints.length;
  return [
    ...supported("addressType", slice.addressType, addressTypes),
    ...(count > mostEndpoints ? [fieldErrors.tooMany("endpoints", count, mostEndpoints)] : []),
    ...slice.endpoints.flatMap(({ addresses }, index) =>
      addresses.length === 0
        ? [fieldErrors.required(`endpoints[${index}].addresses`, "must contain at least 1 address")]
        : [],
    ),
    ...(old !== undefined && old.addressType !== slice.addressType
      ? [fieldErrors.invalid("addressType", slice.addressType, "field is immutable")]
      : []),
  ];
}
