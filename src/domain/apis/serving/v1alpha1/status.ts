// What v1alpha1 shows of a status beyond v1's, and what it calls otherwise.
import type { Condition } from "../../meta/meta.types.js";
import { type Infer, obj, str } from "../../schema/index.js";
import { AddressableSchema as V1AddressableSchema } from "../traffic.types.js";

const HostSchema = obj({ hostname: str() });

export const AddressableSchema = {
  ...V1AddressableSchema,
  properties: { ...HostSchema.properties, ...V1AddressableSchema.properties },
} as typeof V1AddressableSchema & typeof HostSchema;

export function hostFields() {
  return {
    url: str(),
    domain: str({ description: "The host that the outside calls." }),
    domainInternal: str({ description: "The host that the inside calls." }),
    address: AddressableSchema,
  } as const;
}

interface Addressed {
  readonly url?: string | undefined;
  readonly address?: Infer<typeof V1AddressableSchema> | undefined;
}

export function hostsOf({ url, address }: Addressed) {
  const domain = hostOf(url);
  const inside = hostOf(address?.url);
  return {
    ...(domain === undefined ? {} : { domain }),
    ...(inside === undefined ? {} : { domainInternal: inside, address: { hostname: inside, ...address } }),
  };
}

function hostOf(url: string | undefined): string | undefined {
  return /^[a-z]+:\/\/([^/:]+)/.exec(url ?? "")?.[1];
}

/** The error-conditions document calls it so in its example, and ResourcesAvailable where it explains. */
const renamed: { readonly [type: string]: string } = { ResourcesAvailable: "ResourcesProvisioned" };

export function conditionsFromV1(
  conditions: readonly Condition[] | undefined,
): readonly Condition[] | undefined {
  return conditions?.map((one) => ({ ...one, type: renamed[one.type] ?? one.type }));
}
