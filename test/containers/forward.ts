// A registry by way of a door that notes when it last answered, and whether anybody came.

import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";

export interface Forward {
  readonly host: string;
  /** When the registry's last byte came through. */
  lastAnswerMs(): number;
  close(): Promise<void>;
}

export async function forwardTo(host: string): Promise<Forward> {
  const [name = "", port = ""] = host.split(":");
  let lastMs = 0;
  const server = createServer((client) => {
    const registry = connect(Number(port), name);
    registry.on("data", () => {
      lastMs = Date.now();
    });
    for (const [one, other] of [
      [client, registry],
      [registry, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.once("close", () => other.end());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    lastAnswerMs: () => lastMs,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
