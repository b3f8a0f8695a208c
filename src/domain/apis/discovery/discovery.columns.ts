import { ageColumn, firstFew, nameColumn, text } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { EndpointSlice } from "./discovery.types.js";

const unset = "<unset>";

export const endpointSliceColumns: readonly Column<EndpointSlice>[] = [
  nameColumn,
  text("AddressType", ({ addressType }) => addressType),
  text(
    "Ports",
    ({ ports }) =>
      firstFew(
        (ports ?? []).map(({ port }) => `${port ?? "*"}`),
        3,
      ) || unset,
  ),
  text(
    "Endpoints",
    ({ endpoints }) =>
      firstFew(
        endpoints.flatMap(({ addresses }) => addresses),
        3,
      ) || unset,
  ),
  ageColumn,
];
