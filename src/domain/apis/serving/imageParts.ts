// The parts of an image's name, with what short names leave out.

export interface ImageParts {
  /** The host, with its port where one is written. */
  readonly registry: string;
  readonly repository: string;
  /** `latest` unless said. */
  readonly tag: string;
  readonly digest: string | undefined;
}

/** The registry of names that say none. */
export const defaultRegistry = "index.docker.io";

/** Of a name that `isImageReference` calls one. */
export function imageParts(image: string): ImageParts {
  const [named = "", digest] = image.split("@");
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const path = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : "latest";
  const slash = path.indexOf("/");
  const first = slash < 0 ? "" : path.slice(0, slash);
  if (!/[.:]|^localhost$/.test(first)) return onDefault(path, tag, digest);
  const repository = path.slice(slash + 1);
  if (first === "docker.io" || first === defaultRegistry) return onDefault(repository, tag, digest);
  return { registry: first, repository, tag, digest };
}

function onDefault(path: string, tag: string, digest: string | undefined): ImageParts {
  const repository = path.includes("/") ? path : `library/${path}`;
  return { registry: defaultRegistry, repository, tag, digest };
}
