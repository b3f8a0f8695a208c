import type { EndpointSlice } from "./discovery.types.js";

export function defaultEndpointSlice(slice: EndpointSlice): EndpointSlice {
  return {
    ...slice,
    ...(slice.ports === undefined
      ? {}
      : { ports: slice.ports.map((port) => ({ ...port, name: port.name ?? "" })) }),
    endpoints: slice.endpoints.map((endpoint) => ({ ...endpoint, conditions: endpoint.conditions ?? {} })),
  };
}
