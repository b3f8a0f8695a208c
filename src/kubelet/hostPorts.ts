// Ports of this machine for pods: never handed out twice, and only when nothing else listens there.
import { createServer } from "node:net";
import { PortError, type Random } from "../ports/index.js";
import { hostPortFirst, hostPortLast, hostPortTries } from "./limits.js";

export interface HostPorts {
  /** So many free ports, held until released. Rejects when the machine has none left. */
  take(count: number): Promise<readonly number[]>;
  /** Ports that are a pod's already, of an earlier life of Drydock. */
  hold(ports: readonly number[]): void;
  release(ports: readonly number[]): void;
}

export function hostPorts(random: Random, isFree: (port: number) => Promise<boolean> = canListen): HostPorts {
  const taken = new Set<number>();
  const span = hostPortLast - hostPortFirst + 1;
  let next = Math.floor(random() * span);

  async function takeOne(): Promise<number> {
    for (let tries = 0; tries < hostPortTries; tries++) {
      const port = hostPortFirst + (next++ % span);
      if (taken.has(port)) continue;
      taken.add(port); // before the test, which takes a moment in which others ask
      if (await isFree(port)) return port;
      taken.delete(port);
    }
    throw new PortError("ServiceUnavailable", "this machine has no free port left for the pod");
  }

  return {
    hold(ports) {
      for (const port of ports) taken.add(port);
    },
    take: (count) => Promise.all(Array.from({ length: count }, takeOne)),
    release(ports) {
      for (const port of ports) taken.delete(port);
    },
  };
}

export function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      // The port is free when this returns; who waits to hear of it lets everybody else go first.
      server.close();
      resolve(true);
    });
  });
}
