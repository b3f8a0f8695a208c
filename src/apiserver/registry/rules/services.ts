// Services: each that wants one gets an address of its own, from a range nobody routes, and ports on the node.
import type { Service, ServicePort, ServiceSpec } from "../../../domain/apis/core/service.types.js";
import type { Resource } from "../../../domain/apis/kind.js";
import { fieldErrors } from "../../../domain/apis/meta/fieldError.js";
import { invalid, refusal } from "../../status.js";
import type { State } from "../state.js";
import type { Rule } from "./rule.js";

export function serviceRule(): Rule {
  // 10.96.0.0/16 without its ends, and upstream's range of node ports.
  const addresses = rotation(1, 65_534, (state) =>
    specs(state).flatMap(({ clusterIP }) => hostPart(clusterIP)),
  );
  const ports = rotation(30_000, 32_767, (state) =>
    specs(state).flatMap((spec) => (spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? [])),
  );

  function withNodePorts(spec: ServiceSpec, before: ServiceSpec | undefined, state: State): ServiceSpec {
    const exposed = spec.type === "NodePort" || spec.type === "LoadBalancer";
    if (!exposed || spec.ports === undefined) return spec;
    const numbered = spec.ports.map((port): ServicePort => {
      if (port.nodePort !== undefined && port.nodePort !== 0) return port;
      const same = before?.ports?.find((one) => one.port === port.port && one.protocol === port.protocol);
      return { ...port, nodePort: same?.nodePort ?? ports(state) };
    });
    return { ...spec, ports: numbered };
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
      if (address === "") address = addressOf(addresses(state));
      else if (address !== "None" && address !== before?.clusterIP) refuseTaken(service, address, state);
      const placed = { ...rest, clusterIP: address, clusterIPs: [address] };
      return { ...service, spec: withNodePorts(placed, before, state) } as Resource;
    },
  };
}

/**
 * Free numbers of a range, in order and round again, so that one just given back is not at once someone else's.
 * What is in use is asked for once a round; what a failed write took is free again in the next.
 */
function rotation(first: number, last: number, inUse: (state: State) => readonly number[]) {
  let next = first;
  let taken: Set<number> | undefined;
  return (state: State): number => {
    for (let rounds = 0; rounds < 2; rounds++) {
      taken ??= new Set(inUse(state));
      while (next <= last) {
        const number = next++;
        if (taken.has(number)) continue;
        taken.add(number);
        return number;
      }
      next = first;
      taken = undefined;
    }
    throw refusal(
      "InternalError",
      "Internal error occurred: failed to allocate: the range of services is full",
    );
  };
}

function specs(state: State): readonly ServiceSpec[] {
  return state
    .collection("/services")
    .list({})
    .map(({ object }) => (object as Service).spec ?? {});
}

function addressOf(number: number): string {
  return `10.96.${number >> 8}.${number & 255}`;
}

function hostPart(address: string | undefined): readonly number[] {
  const [, high, low] = /^10\.96\.(\d+)\.(\d+)$/.exec(address ?? "") ?? [];
  return high === undefined || low === undefined ? [] : [Number(high) * 256 + Number(low)];
}

function refuseTaken(service: Service & Resource, address: string, state: State): void {
  if (!specs(state).some(({ clusterIP }) => clusterIP === address)) return;
  throw invalid({ group: "", kind: "Service" }, service.metadata.name, [
    {
      ...fieldErrors.invalid("spec.clusterIPs", address, ""),
      message: `Invalid value: ["${address}"]: failed to allocate IP ${address}: provided IP is already allocated`,
    },
  ]);
}
