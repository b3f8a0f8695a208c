// What users read: the command line's own get and describe, over the world's own API server.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiHttp } from "../../src/adapters/apiHttp/index.js";
import { systemClock } from "../../src/adapters/clock/index.js";
import { ensurePki } from "../../src/adapters/tls/index.js";
import { startApiServer } from "../../src/apiserver/index.js";
import type { Context } from "../../src/cli/index.js";
import { drydock, instance } from "../cli/fake.js";
import type { RunningWorld } from "../world/index.js";

type Pki = ReturnType<typeof ensurePki>;

export interface Windows {
  /** What the command prints. */
  open(world: RunningWorld, words: readonly (readonly string[])[]): Promise<readonly string[]>;
}

/** One set of certificates for all; their moment is the machine's, as TLS has no fake clock. */
export async function makeWindows(): Promise<Windows> {
  const folder = await mkdtemp(join(tmpdir(), "drydock-scenarios-"));
  const pki = ensurePki({ folder, hosts: [], clock: systemClock() });
  await rm(folder, { recursive: true, force: true });
  return { open: (world, commands) => open(pki, world, commands) };
}

async function open(
  { ca, server: { cert, key }, token, serviceAccountKey }: Pki,
  world: RunningWorld,
  commands: readonly (readonly string[])[],
): Promise<readonly string[]> {
  const { registry, clock, deps } = world;
  const server = await startApiServer({
    registry,
    host: "127.0.0.1",
    port: 0,
    tls: { ca, cert, key },
    auth: { token, serviceAccountKey },
    clock,
    log: deps.log,
  });
  try {
    const texts: string[] = [];
    for (const words of commands) {
      const { code, out, err } = await drydock(words, {
        context: {
          clock,
          instances: {
            find: async () => instance,
            connect: async () => apiHttp({ server: server.url, ca, token }),
          } as unknown as Context["instances"],
        },
      });
      if (code !== 0) throw new Error(`drydock ${words.join(" ")}: ${err}`);
      texts.push(out);
    }
    return texts;
  } finally {
    await server.close();
  }
}
