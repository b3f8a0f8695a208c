// Lease (coordination.k8s.io/v1).

import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { at, type Infer, int32, microTime, obj, ptr, str } from "../schema/index.js";
import { leaseColumns } from "./coordination.columns.js";

export const LeaseSpecSchema = obj({
  holderIdentity: ptr(1, str()),
  leaseDurationSeconds: ptr(2, int32()),
  acquireTime: at(3, microTime()),
  renewTime: at(4, microTime()),
  leaseTransitions: ptr(5, int32()),
  strategy: at(6, str()),
  preferredHolder: ptr(7, str()),
});

export const LeaseSchema = resource({
  spec: at(2, LeaseSpecSchema),
});

export interface Lease extends Infer<typeof LeaseSchema> {}

export const Lease: Kind<Lease> = defineKind<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  shortNames: [],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "Who holds a role, and until when.",
  schema: LeaseSchema,
  columns: leaseColumns,
});
