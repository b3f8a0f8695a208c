// Whether a text names an image: [registry/]repository[:tag][@sha256:digest].

/** Repositories are in lower case, tags are not; a registry is told from a folder by a dot or a port. */
export function isImageReference(text: string): boolean {
  const [base = "", digest, ...more] = text.split("@");
  if (digest === undefined) return isTagged(base);
  return more.length === 0 && /^sha256:[0-9a-f]{64}$/.test(digest) && isTagged(base);
}

function isTagged(text: string): boolean {
  const colon = text.lastIndexOf(":");
  if (colon < 0 || text.slice(colon).includes("/")) return isRepository(text);
  return /^[\w.-]{1,128}$/.test(text.slice(colon + 1)) && isRepository(text.slice(0, colon));
}

function isRepository(text: string): boolean {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const hasRegistry = /[.:]/.test(first) || first === "localhost";
  if (hasRegistry && !/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::\d+)?$/.test(first)) return false;
  // Upstream's parser wants two letters at least; registries, and so we, are content with one.
  return /^[a-z0-9_./-]{1,255}$/.test(hasRegistry ? text.slice(slash + 1) : text);
}
