// A bound socket that outlives whoever accepts on it: while one gateway process has died and the next is not there yet,
// connections wait in its backlog instead of being refused.
import { lookup } from "node:dns/promises";
import * as net from "node:net";
import { getSystemErrorName } from "node:util";
import { PortError } from "../ports/index.js";

/** What `child.send` passes on and `server.listen` takes. */
export interface ListeningHandle {
  close(): void;
  getsockname(out: { address?: string; port?: number }): number;
}

type CreateHandle = (address: string, port: number, addressType: 4 | 6) => ListeningHandle | number;

/**
 * Undefined where this Node does not have the function its own cluster module binds with; then each gateway binds for
 * itself, and a gateway that dies takes its port along for a moment.
 */
export async function bindHandle(
  host: string,
  port: number,
): Promise<{ readonly handle: ListeningHandle; readonly host: string; readonly port: number } | undefined> {
  const create = (net as unknown as { readonly _createServerHandle?: CreateHandle })._createServerHandle;
  if (typeof create !== "function") return undefined;
  const { address, family } = await lookup(host);
  const handle = create(address, port, family === 6 ? 6 : 4);
  if (typeof handle === "number") {
    const code = getSystemErrorName(handle);
    throw new PortError("ServiceUnavailable", `the gateway cannot listen on ${host}:${port}: ${code}`);
  }
  const bound: { address?: string; port?: number } = {};
  handle.getsockname(bound);
  return { handle, host: bound.address ?? address, port: bound.port ?? port };
}
