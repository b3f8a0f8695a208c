// What a URL is about, in Kubernetes' grammar of paths.

/** /api/V/... or /apis/G/V/..., taken apart. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  /** Empty for the group version itself. */
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  /** What follows pods/NAME/proxy/ and the like. */
  readonly rest: string;
  /** The old spelling, /api/v1/watch/..., which asks for a watch by its path. */
  readonly watch: boolean;
}

/** A request's target, taken apart. The host part means nothing here; only the path and its query are read. */
export function addressOf(target: string): { readonly path: string; readonly query: URLSearchParams } {
  // Nearly every target is in its final form already; making a URL of it costs more than looking.
  const [path = "", query, more] = target.split("?");
  if (more === undefined && usual.test(path)) return { path, query: new URLSearchParams(query) };
  const url = new URL(target, "https://drydock.invalid");
  return { path: url.pathname, query: url.searchParams };
}

/** Segments without escapes, none of which is empty or begins with a dot. */
const usual = /^(\/[\w~:-][\w.~:-]*)+$/;

/** undefined for every path that is not about resources, discovery of groups included. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  for (let i = 0; path.includes("%") && i < parts.length; i++) {
    const decoded = decode(parts[i] as string);
    if (decoded === undefined) return undefined;
    parts[i] = decoded;
  }
  let group: string;
  let version: string;
  let rest: string[];
  // The error-conditions document also writes /api/GROUP/...; only a group's name has a dot.
  if (parts[0] === "api" && parts[1]?.includes(".")) parts[0] = "apis";
  if (parts[0] === "api" && parts.length >= 2) {
    group = "";
    [, version = "", ...rest] = parts;
  } else if (parts[0] === "apis" && parts.length >= 3) {
    [, group = "", version = "", ...rest] = parts;
  } else return undefined;

  const watch = rest[0] === "watch";
  if (watch) rest = rest.slice(1);
  let namespace = "";
  // namespaces/NAME/x is about x inside NAME, unless x is one of the namespace's own subresources.
  if (rest[0] === "namespaces" && rest.length >= 3 && rest[2] !== "status" && rest[2] !== "finalize") {
    namespace = rest[1] ?? "";
    rest = rest.slice(2);
  }
  const [plural = "", name = "", subresource = "", ...more] = rest;
  return { group, version, plural, namespace, name, subresource, rest: more.join("/"), watch };
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** True in any of the spellings clients use. */
export function isTrue(value: string | null | undefined): boolean {
  const text = value?.toLowerCase();
  return text === "true" || text === "1";
}
