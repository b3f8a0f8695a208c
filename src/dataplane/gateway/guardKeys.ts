// API keys: Secrets of one type, kept as hashes only. What is compared has one length and takes one time.
import { createHash, timingSafeEqual } from "node:crypto";
import type { SecretInput } from "./guardInputs.js";

const apiKeysType = "drydock.dev/api-keys";

export interface ApiKeys {
  /** The caller's name, `apikey/NAMESPACE/SECRET/ENTRY`; undefined for a key that nobody gave out. */
  holderOf(key: string): string | undefined;
}

interface Entry {
  readonly hash: Buffer;
  readonly holder: string;
}

/** Undefined where no keys were given out. */
export function readApiKeys(secrets: readonly SecretInput[]): ApiKeys | undefined {
  const entries = secrets.filter(({ type }) => type === apiKeysType).flatMap(entriesOf);
  if (entries.length === 0) return undefined;
  return {
    holderOf(key) {
      const asked = hashOf(key);
      let holder: string | undefined;
      // Every one is compared: how long it takes tells nothing about which was nearly right.
      for (const entry of entries) if (timingSafeEqual(entry.hash, asked)) holder = entry.holder;
      return holder;
    },
  };
}

function entriesOf({ metadata, data = {} }: SecretInput): readonly Entry[] {
  return Object.entries(data).flatMap(([name, encoded]) => {
    // A newline at the end comes from the file the key was kept in.
    const key = Buffer.from(encoded ?? "", "base64")
      .toString("utf8")
      .trim();
    const holder = `apikey/${metadata?.namespace ?? ""}/${metadata?.name ?? ""}/${name}`;
    return key === "" ? [] : [{ hash: hashOf(key), holder }];
  });
}

function hashOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
