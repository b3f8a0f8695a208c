// What a storage URI asks for, and how it may be shown.

import { isImageReference } from "../../domain/apis/serving/imageReference.js";
import { StorageError } from "./errors.js";

/** What can be fetched today; the message about everything else quotes it. */
const available = "file://, http://, https://, oci://, pvc://";

/** Schemes upstream knows and this version does not. */
const later: ReadonlySet<string> = new Set(["gs", "s3", "hdfs", "webhdfs", "hf", "modelscope", "git"]);

export type Source =
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "http"; readonly url: URL }
  | { readonly kind: "oci"; readonly image: string }
  | { readonly kind: "pvc"; readonly claim: string; readonly path: string };

export function parseSource(uri: string): Source {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return { kind: "local", path: uri };
    case "file":
      return { kind: "local", path: uri.slice("file://".length) };
    case "pvc":
      return parsePvc(uri);
    // Upstream's three ways to the same files; here there is one.
    case "oci":
    case "oci+native":
    case "oci+fetch":
      return parseOci(uri);
    case "http":
    case "https":
      return { kind: "http", url: parseHttp(uri) };
    default:
      throw unsupported(uri, scheme);
  }
}

/** `pvc://claim/sub/path`: the volume is mounted by the kubelet, so only its parts are needed. */
export function parsePvc(uri: string): {
  readonly kind: "pvc";
  readonly claim: string;
  readonly path: string;
} {
  const [, claim, path] = /^pvc:\/\/([^/]+)(?:\/(.*))?$/.exec(uri) ?? [];
  if (claim === undefined) throw new StorageError(`Invalid URI must be pvc://<pvcname>/[path]: ${uri}`);
  const parts = (path ?? "").split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new StorageError(`Invalid URI must be pvc://<pvcname>/[path]: ${uri}`);
  return { kind: "pvc", claim, path: parts.join("/") };
}

function parseOci(uri: string): { readonly kind: "oci"; readonly image: string } {
  const image = uri.slice(uri.indexOf("://") + "://".length);
  if (isImageReference(image)) return { kind: "oci", image };
  throw new StorageError(`Invalid URI must be oci://REGISTRY/REPOSITORY[:TAG|@DIGEST]: ${redact(uri)}`);
}

/** Passwords, tokens and signatures sit in the user part and the query; neither is ever shown. */
export function redact(uri: string): string {
  if (!/^https?:\/\//i.test(uri)) return uri.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1***@");
  try {
    const url = new URL(uri);
    const user = url.username !== "" || url.password !== "" ? "***@" : "";
    const query = [...url.searchParams.keys()].map((key) => `${encodeURIComponent(key)}=***`).join("&");
    return `${url.protocol}//${user}${url.host}${url.pathname}${query ? `?${query}` : ""}`;
  } catch {
    // What is no URL may still hold a secret after its scheme.
    return `${uri.slice(0, uri.indexOf("://"))}://***`;
  }
}

function parseHttp(uri: string): URL {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined) throw new StorageError(`Invalid URI: ${redact(uri)}`);
  const last = url.pathname.split("/").at(-1) ?? "";
  if (last.endsWith(".git")) throw unsupported(uri, "git");
  return url;
}

function unsupported(uri: string, scheme: string): StorageError {
  const shown = redact(uri);
  return later.has(scheme)
    ? new StorageError(
        `Storage type ${scheme}:// is not available yet, it comes in a later version: ${shown}. ` +
          `The current available storage types are ${available}.`,
      )
    : new StorageError(
        `Cannot recognize storage type for ${shown}. The current available storage types are ${available}.`,
      );
}
