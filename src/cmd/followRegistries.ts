// Tells storage initializers, which ask no API, how registries are reached: config-registries, as a file.
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readServingConfig } from "../domain/apis/config/index.js";
import { ConfigMap } from "../domain/apis/core/config.types.js";
import type { Control } from "./control.js";

/** Where models from images are kept, and what fetches them is told. */
export function ociFolder(home: string): string {
  return join(home, "oci");
}

export function followRegistries(
  { informers, log }: Pick<Control, "informers" | "log">,
  folder: string,
): void {
  const key = { namespace: "knative-serving", name: "config-registries" };
  let said = "";
  let writing: Promise<void> = Promise.resolve();
  const follow = () => {
    const data = informers.listers(ConfigMap).get(key)?.data;
    const text = JSON.stringify(
      readServingConfig((name) => (name === key.name ? data : undefined)).registries,
    );
    if (text === said) return;
    said = text;
    // One after the other: the last word is the one that stays.
    writing = writing
      .then(() => write(folder, text))
      .catch((error: unknown) => {
        said = "";
        log.error("config-registries could not be written for storage initializers", {
          error: String(error),
        });
      });
  };
  informers.of(ConfigMap).subscribe(({ object: { metadata } }) => {
    if (metadata.name === key.name && metadata.namespace === key.namespace) follow();
  });
}

async function write(folder: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "registries.json");
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
