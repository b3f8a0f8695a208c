// What a request shows of who sends it: a token where a rule looks for one, or an API key.
import { toPairs } from "../proxy/index.js";
import type { JwtAccess, Scope, TokenPlace } from "./guardScope.js";
import type { Incoming } from "./incoming.js";

export interface Credentials {
  readonly token: { readonly text: string; readonly accesses: readonly JwtAccess[] } | undefined;
  /** Whose API key it is. */
  readonly holder: string | undefined;
  /** Where they were found; they end here. */
  readonly headers: readonly string[];
  readonly params: readonly string[];
}

export interface Fault {
  readonly fault: string;
  readonly by: string;
}

const keyHeader = "x-api-key";

export function readCredentials(scope: Scope, incoming: Incoming, target: string): Credentials | Fault {
  const fields = toPairs(incoming.lines);
  const valuesOf = (lower: string) =>
    fields.flatMap((name, index) =>
      index % 2 === 0 && name.toLowerCase() === lower ? [fields[index + 1] ?? ""] : [],
    );
  const headers: string[] = [];
  const params: string[] = [];

  let holder: string | undefined;
  const { keys } = scope;
  if (keys !== undefined) {
    const shown = keyIn(valuesOf);
    if (shown !== undefined) {
      holder = keys.holderOf(shown.key);
      if (holder === undefined && (shown.header === keyHeader || scope.jwt.length === 0))
        return { fault: "the API key is not known", by: "API keys" };
      if (holder !== undefined) headers.push(shown.header);
    }
  }

  const found = new Map<string, JwtAccess[]>();
  for (const access of scope.jwt) {
    for (const place of access.places) {
      if (place.header !== undefined && headers.includes(place.header)) continue;
      const texts = place.header === undefined ? paramsIn(target, place.param) : tokensIn(valuesOf, place);
      if (texts.length > 1)
        return { fault: "the request carries more than one token in one place", by: access.name };
      const [text] = texts;
      if (text === undefined) continue;
      found.set(text, [...(found.get(text) ?? []), access]);
      if (place.header !== undefined) headers.push(place.header);
      if (place.param !== undefined) params.push(place.param);
    }
  }
  if (found.size > 1)
    return { fault: "the request carries tokens that differ", by: scope.jwt[0]?.name ?? "" };
  const [first] = found;
  return { token: first && { text: first[0], accesses: first[1] }, holder, headers, params };
}

type ValuesOf = (lower: string) => readonly string[];

function keyIn(valuesOf: ValuesOf): { readonly key: string; readonly header: string } | undefined {
  const [key, more] = valuesOf(keyHeader);
  // Which of two would count is anybody's guess: neither does.
  if (key !== undefined) return { key: more === undefined ? key.trim() : "", header: keyHeader };
  const bearer = tokensIn(valuesOf, { header: "authorization", prefix: "Bearer " });
  const [only] = bearer;
  // A token has two dots; a key may have any number of them and is then shown as x-api-key.
  if (bearer.length !== 1 || only === undefined || only.split(".").length === 3) return undefined;
  return { key: only, header: "authorization" };
}

function tokensIn(valuesOf: ValuesOf, { header = "", prefix = "" }: TokenPlace): readonly string[] {
  return valuesOf(header).flatMap((value) => {
    // The scheme's name is written in any case (RFC 9110, section 11.1).
    if (!value.toLowerCase().startsWith(prefix.toLowerCase())) return [];
    const text = value.slice(prefix.length).trim();
    return text === "" ? [] : [text];
  });
}

function paramsIn(target: string, param: string | undefined): readonly string[] {
  const query = target.indexOf("?");
  if (query < 0 || param === undefined || !target.includes(param, query)) return [];
  return new URLSearchParams(target.slice(query + 1)).getAll(param).filter((value) => value !== "");
}

/** A claim that can be said in one header: Istio passes on text, numbers and truth values. */
export function claimText(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && /^[\x20-\x7e]*$/.test(value) ? value : undefined;
}
