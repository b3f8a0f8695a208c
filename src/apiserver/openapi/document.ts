import type { Kind } from "../../domain/apis/kind.js";
export function openapiV3Document(
  _groupVersion: string,
  _kinds: readonly Kind[],
): { readonly [name: string]: unknown } {
  throw new Error("not written yet");
}
/** From group versions (`v1`, `apps/v1`) to the hashes of their documents. */
export function openapiV3Index(hashes: ReadonlyMap<string, string>): {
  readonly paths: { readonly [path: string]: { readonly serverRelativeURL: string } };
} {
  const paths: Record<string, { readonly serverRelativeURL: string }> = {};
  for (const [groupVersion, hash] of hashes) {
    const path = groupVersion.includes("/") ? `apis/${groupVersion}` : `api/${groupVersion}`;
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return { paths };
}
