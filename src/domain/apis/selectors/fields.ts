// Field selectors: path=v, path==v, path!=v, joined by commas; a backslash takes their meaning from , and =.

export interface FieldMatcher {
  readonly ok: true;
  readonly everything: boolean;
  readonly matches: (object: unknown) => boolean;
  /** The one name (or namespace) the selector asks for by equality, if it does: a list of one needs no scan. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

export type ParsedFieldSelector = FieldMatcher | { readonly ok: false; readonly message: string };

interface Term {
  readonly path: string;
  readonly equal: boolean;
  readonly value: string;
}

/**
 * `supported` are the kind's own paths; metadata.name and metadata.namespace always are.
 * The kind's flavour decides how a refusal is worded: anything but "custom" is a built-in kind.
 */
export function parseFieldSelector(
  text: string,
  supported: readonly string[],
  flavour: string = "builtin",
): ParsedFieldSelector {
  const terms: Term[] = [];
  for (const part of split(text)) {
    const term = parseTerm(part);
    if (term === undefined) return no(`invalid selector: '${text}'; can't understand '${part}'`);
    if (typeof term === "string") return no(term);
    if (!always.has(term.path) && !supported.includes(term.path)) {
      return no(
        supported.length === 0 && flavour !== "custom"
          ? `"${term.path}" is not a known field selector: only "metadata.name", "metadata.namespace"`
          : `field label not supported: ${term.path}`,
      );
    }
    terms.push(term);
  }
  const wanted = (path: string) => terms.find((term) => term.equal && term.path === path)?.value;
  return {
    ok: true,
    everything: terms.length === 0,
    matches: (object) => terms.every((term) => (fieldValue(object, term.path) === term.value) === term.equal),
    name: wanted("metadata.name"),
    namespace: wanted("metadata.namespace"),
  };
}

const always: ReadonlySet<string> = new Set(["metadata.name", "metadata.namespace"]);

function no(message: string): ParsedFieldSelector {
  return { ok: false, message };
}

function split(text: string): readonly string[] {
  const parts: string[] = [];
  let part = "";
  for (let index = 0; index < text.length; index++) {
    const char = text[index] as string;
    if (char === "\\") {
      part += char + (text[++index] ?? "");
    } else if (char === ",") {
      parts.push(part);
      part = "";
    } else {
      part += char;
    }
  }
  parts.push(part);
  return parts.filter((one) => one !== "");
}

function parseTerm(part: string): Term | string | undefined {
  const match = /^((?:\\.|[^\\=!]|!(?!=))*?)(!=|==|=)(.*)$/s.exec(part);
  if (match === null) return undefined;
  const [, path = "", operator = "", raw = ""] = match;
  const value = unescaped(raw);
  if (value === undefined) return `invalid field selector: invalid escape sequence: ${raw}`;
  return { path, equal: operator !== "!=", value };
}

function unescaped(raw: string): string | undefined {
  let value = "";
  for (let index = 0; index < raw.length; index++) {
    const char = raw[index] as string;
    if (char === "," || char === "=") return undefined;
    if (char !== "\\") {
      value += char;
      continue;
    }
    const next = raw[++index];
    if (next !== "\\" && next !== "," && next !== "=") return undefined;
    value += next;
  }
  return value;
}

/** What upstream compares where the field is absent. */
const absent: { readonly [path: string]: string } = {
  "spec.hostNetwork": "false",
  "spec.unschedulable": "false",
  "status.replicas": "0",
};

function fieldValue(object: unknown, path: string): string {
  let value = object;
  for (const name of path.split(".")) value = member(value, name);
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  // An Event's source is an object; its component is what is meant, and newer events say it elsewhere.
  if (path === "source")
    return text(member(value, "component")) || text(member(object, "reportingComponent"));
  if (path === "reportingComponent") return text(member(member(object, "source"), "component"));
  return absent[path] ?? "";
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as { readonly [name: string]: unknown })[name];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
