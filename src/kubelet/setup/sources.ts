// ConfigMaps and Secrets as a pod refers to them: one shape for both, read from the API when a container starts.
import { ConfigMap, Secret } from "../../domain/apis/core/config.types.js";
import type { Client } from "../../ports/index.js";

export interface KeyedSource {
  readonly word: "configmap" | "secret";
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  readonly data: { readonly [key: string]: Buffer } | undefined;
}

export async function configMapSource(client: Client, namespace: string, name: string): Promise<KeyedSource> {
  const found = await client.get(ConfigMap, { namespace, name });
  const text = Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
  const binary = Object.entries(found?.binaryData ?? {}).map(([key, value]) => [key, base64(value)] as const);
  return {
    word: "configmap",
    kind: "ConfigMap",
    name,
    data: found && Object.fromEntries([...text, ...binary]),
  };
}

export async function secretSource(client: Client, namespace: string, name: string): Promise<KeyedSource> {
  const found = await client.get(Secret, { namespace, name });
  const entries = Object.entries(found?.data ?? {}).map(([key, value]) => [key, base64(value)] as const);
  return { word: "secret", kind: "Secret", name, data: found && Object.fromEntries(entries) };
}

function base64(text: string): Buffer {
  return Buffer.from(text, "base64");
}
