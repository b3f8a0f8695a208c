/**
 * Certificates for one registry, where docker and podman look for them: `certs.d/HOST[:PORT]` holds authorities as
 * `*.crt`, and what the registry wants to see of us as `NAME.cert` with its `NAME.key`.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { maxCertificateBytes, maxCertificateFiles } from "./limits.js";
import type { Env } from "./machine.js";
import { oneLine, RegistryTrouble } from "./trouble.js";

export interface HostCertificates {
  readonly authorities: readonly string[];
  /** What this machine shows of itself, and where it is. */
  readonly client?: { readonly cert: string; readonly key: string; readonly path: string };
}

/** The first folder that has any is it. */
export async function hostCertificates(env: Env, host: string): Promise<HostCertificates> {
  // A name from an image is no path.
  if (!/^[\w.:[\]-]+$/.test(host) || host.startsWith(".")) return { authorities: [] };
  const home = env["HOME"] || homedir();
  const config = env["XDG_CONFIG_HOME"] || join(home, ".config");
  const places = [
    join(config, "containers/certs.d"),
    join(config, "docker/certs.d"),
    join(home, ".docker/certs.d"),
    "/etc/containers/certs.d",
    "/etc/docker/certs.d",
  ];
  for (const place of places) {
    const found = await readFolder(join(place, host));
    if (found !== undefined) return found;
  }
  return { authorities: [] };
}

async function readFolder(folder: string): Promise<HostCertificates | undefined> {
  const names = (await readdir(folder).catch(() => [])).sort().slice(0, maxCertificateFiles);
  const authorities = names.filter((name) => name.endsWith(".crt"));
  const client = names.find((name) => name.endsWith(".cert"));
  if (authorities.length === 0 && client === undefined) return undefined;
  return {
    authorities: await Promise.all(authorities.map((name) => read(join(folder, name)))),
    ...(client !== undefined && {
      client: {
        cert: await read(join(folder, client)),
        key: await read(join(folder, client.replace(/\.cert$/, ".key"))),
        path: join(folder, client),
      },
    }),
  };
}

async function read(path: string): Promise<string> {
  try {
    if ((await stat(path)).size <= maxCertificateBytes) return await readFile(path, "utf8");
  } catch (error) {
    throw new RegistryTrouble(`${path}: ${oneLine((error as Error).message)}`, {
      help: "whoever runs Drydock must be able to read it",
      cause: error,
    });
  }
  throw new RegistryTrouble(`${path} is larger than ${maxCertificateBytes} bytes`);
}
