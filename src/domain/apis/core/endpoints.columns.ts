import { ageColumn, firstFew, nameColumn, none, text } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { EndpointSubset, Endpoints } from "./endpoints.types.js";

export const endpointsColumns: readonly Column<Endpoints>[] = [
  nameColumn,
  text("Endpoints", ({ subsets }) => firstFew((subsets ?? []).flatMap(addresses), 3) || none),
  ageColumn,
];

function addresses({ addresses = [], ports = [] }: EndpointSubset): readonly string[] {
  if (ports.length === 0) return addresses.map(({ ip }) => ip);
  return ports.flatMap(({ port }) =>
    addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)),
  );
}
