import { ageColumn, nameColumn, text } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { Lease } from "./coordination.types.js";

export const leaseColumns: readonly Column<Lease>[] = [
  nameColumn,
  text("Holder", ({ spec }) => spec?.holderIdentity ?? ""),
  ageColumn,
];
