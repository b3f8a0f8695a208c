// `WWW-Authenticate`: what a registry wants to see before it answers.

export interface Challenge {
  /** In lower case: basic, bearer. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Several may stand in one header, between commas, as their parameters do (RFC 9110 §11.6.1). */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
  const token = /\s*,?\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)/y;
  const value = /\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;
  for (let at = 0; at < header.length; ) {
    token.lastIndex = at;
    const name = token.exec(header)?.[1];
    if (name === undefined) break;
    at = token.lastIndex;
    value.lastIndex = at;
    const match = value.exec(header);
    if (match === null) {
      found.push({ scheme: name.toLowerCase(), parameters: new Map() });
      continue;
    }
    at = value.lastIndex;
    const text = match[1]?.replace(/\\(.)/g, "$1") ?? match[2] ?? "";
    found.at(-1)?.parameters.set(name.toLowerCase(), text);
  }
  return found;
}
