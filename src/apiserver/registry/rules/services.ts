// Services: each that wants one gets an address of its own, from a range nobody routes.
import type { Resource } from "../../../domain/apis/kind.js";
import type { Service, ServiceSpec } from "../../../domain/apis/core/service.types.js";
import { fieldErrors } from "../../../domain/apis/meta/fieldError.js";
import { refusal, invalid } from "../../status.js";
import type { State } from "../state.js";
import type { Rule } from "./rule.js";

const rangeSize = 0x10000;

export function serviceRule(): Rule {
  // Addresses go round in order, so that one just given back is not at once someone else's.
  let next = 1;
  let taken: Set<string> | undefined;

  function free(state: State): string {
    for (let turns = 0; turns < 2; turns++) {
      taken ??= addressesInUse(state);
      while (next < rangeSize - 1) {
        const address = `10.96.${next >> 8}.${next & 255}`;
        next++;
        if (taken.has(address)) continue;
        taken.add(address);
        return address;
      }
      next = 1;
      taken = undefined;
    }
    throw refusal("InternalError", "Internal error occurred: failed to allocate a serviceIP: range is full");
  }

  return {
    admit(object, { old, subresource }, state) {
      if (subresource === "status") return object;
      const service = object as Service & Resource;
      const spec: ServiceSpec = service.spec ?? {};
      const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec;
      if (spec.type === "ExternalName") return { ...service, spec: rest } as Resource;

      const before = (old as Service | undefined)?.spec;
      let address = spec.clusterIP ?? spec.clusterIPs?.[0] ?? "";
      if (address === "") address = before?.clusterIP ?? "";
      if (address === "") address = free(state);
      else if (address !== "None" && address !== before?.clusterIP) refuseTaken(service, address, state);
      return { ...service, spec: { ...rest, clusterIP: address, clusterIPs: [address] } } as Resource;
    },
  };
}

function addressesInUse(state: State): Set<string> {
  const found = new Set<string>();
  for (const { object } of state.collection("/services").list({})) {
    const address = (object as Service).spec?.clusterIP;
    if (address !== undefined) found.add(address);
  }
  return found;
}

function refuseTaken(service: Service & Resource, address: string, state: State): void {
  if (!addressesInUse(state).has(address)) return;
  throw invalid({ group: "", kind: "Service" }, service.metadata.name, [
    {
      ...fieldErrors.invalid("spec.clusterIPs", address, ""),
      message: `Invalid value: ["${address}"]: failed to allocate IP ${address}: provided IP is already allocated`,
    },
  ]);
}
