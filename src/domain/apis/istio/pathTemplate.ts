// Path templates of AuthorizationPolicy: `{*}` stands for one segment, `{**}` for any number of them.

export function isPathTemplate(path: string): boolean {
  return path.includes("{") || path.includes("}");
}

export function templateFault(path: string): string | undefined {
  if (!path.startsWith("/")) return "a template begins with a slash";
  const segments = path.slice(1).split("/");
  let many = false;
  for (const segment of segments) {
    if (segment !== "{*}" && segment !== "{**}" && /[{}*]/.test(segment))
      return "only {*} and {**} are supported, each as a whole segment, and no other *";
    if (many && segment.startsWith("{")) return "{**} is not the last operator";
    many ||= segment === "{**}";
  }
  return undefined;
}

/** As only one `{**}` is allowed, what stands before and after it is compared in place. */
export function matchesTemplate(template: string, path: string): boolean {
  const wanted = template.slice(1).split("/");
  const given = path.slice(1).split("/");
  const many = wanted.indexOf("{**}");
  if (many < 0)
    return wanted.length === given.length && wanted.every((one, index) => fits(one, given[index]));
  const after = wanted.length - many - 1;
  // Both kinds of operator stand for something: a path may not leave out the segment.
  if (given.length < wanted.length) return false;
  return (
    wanted.slice(0, many).every((one, index) => fits(one, given[index])) &&
    wanted.slice(many + 1).every((one, index) => fits(one, given[given.length - after + index]))
  );
}

function fits(wanted: string, given: string | undefined): boolean {
  return given !== undefined && (wanted === "{*}" ? given !== "" : wanted === given);
}
