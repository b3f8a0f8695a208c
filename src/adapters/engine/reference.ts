// Image names as engines write them in full: Docker Hub's are short for people only.

/** `hello` is docker.io/library/hello:latest. */
export function normalizedReference(reference: string): string {
  const [named = "", digest] = reference.split("@");
  const repository = repositoryOf(reference);
  if (digest !== undefined) return `${repository}@${digest}`;
  const tag = tagOf(named);
  return `${repository}:${tag ?? "latest"}`;
}

export function repositoryOf(reference: string): string {
  const [named = ""] = reference.split("@");
  const tag = tagOf(named);
  const name = tag === undefined ? named : named.slice(0, -tag.length - 1);
  const [first = "", rest] = name.split(/\/(.*)/s);
  const hasHost = rest !== undefined && /[.:]|^localhost$/.test(first);
  const full = hasHost ? name : `docker.io/${name}`;
  return full
    .replace(/^index\.docker\.io\//, "docker.io/")
    .replace(/^docker\.io\/([^/]+)$/, "docker.io/library/$1");
}

function tagOf(named: string): string | undefined {
  const colon = named.lastIndexOf(":");
  return colon > named.lastIndexOf("/") ? named.slice(colon + 1) : undefined;
}
