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

/** undefined for every path that is not about resources, discovery of groups included. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  for (let i = 0; i < parts.length; i++) {
    const decoded = decode(parts[i] as string);
    if (decoded === undefined) return undefined;
    parts[i] = decoded;
  }
  let group: string;
  let version: string;
  let rest: string[];
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
