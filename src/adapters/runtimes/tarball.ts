// Unpacks an npm tarball whose hash is known.

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import tar from "tar-stream";
import { InstallError } from "./recipe.js";

export async function unpackVerified(tgz: string, target: string, integrity: string): Promise<void> {
  const [algorithm, wanted] = splitIntegrity(integrity);
  const hash = createHash(algorithm);
  await pipeline(createReadStream(tgz), hash);
  if (hash.digest("base64") !== wanted) {
    throw new InstallError(
      `${basename(tgz)} does not have the pinned ${algorithm}. Fetch it again with \`npm pack\`.`,
    );
  }
  const extract = tar.extract();
  const unpacking = pipeline(createReadStream(tgz), createGunzip(), extract);
  unpacking.catch(() => {
    // Reported by the await below; this only keeps it from being unhandled while entries are read.
  });
  for await (const entry of extract) {
    // npm tarballs hold everything below one folder, usually "package".
    const inside = normalize(entry.header.name).split("/").slice(1).join("/");
    if (entry.header.type !== "file" || inside === "" || inside.split("/").includes("..")) {
      entry.resume();
      continue;
    }
    await mkdir(dirname(join(target, inside)), { recursive: true });
    await pipeline(entry, createWriteStream(join(target, inside)));
  }
  await unpacking;
}

function splitIntegrity(integrity: string): [string, string] {
  const dash = integrity.indexOf("-");
  return [integrity.slice(0, dash), integrity.slice(dash + 1)];
}
