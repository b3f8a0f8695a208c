// Which port of its public Service a Revision is spoken to on: routing and the Service must agree.
import type { Revision } from "../../domain/apis/serving/revision.types.js";

export const publicPorts = { http1: 80, h2c: 81 } as const;

export function portOf(revision: Revision | undefined): number {
  const named = revision?.spec.containers.find((container) => (container.ports?.length ?? 0) > 0);
  return named?.ports?.[0]?.name === "h2c" ? publicPorts.h2c : publicPorts.http1;
}
