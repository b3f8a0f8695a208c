// What a route does to header fields.
import { invalid } from "./reading.js";
import type { HeaderOperations } from "./routing.types.js";
import type { HeadersInput } from "./virtualService.types.js";

const nothing: HeaderOperations = { set: [], add: [], remove: [] };
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Fields that frame a message are the proxy's alone: a route that set them could split one message into two. */
const framing = new Set([
  "content-length",
  "transfer-encoding",
  "connection",
  "upgrade",
  "te",
  "trailer",
  "expect",
  "keep-alive",
  "proxy-connection",
]);

export function readHeaders(
  headers: HeadersInput | undefined,
  path: string,
): { readonly request: HeaderOperations; readonly response: HeaderOperations } {
  return {
    request: readOperations(headers?.request, `${path}.request`),
    response: readOperations(headers?.response, `${path}.response`),
  };
}

function readOperations(input: HeadersInput["request"], path: string): HeaderOperations {
  if (input === undefined) return nothing;
  const pairs = (map: { readonly [name: string]: string } | undefined, at: string) =>
    Object.entries(map ?? {}).map(
      ([name, value]) => [headerName(name, at), headerValue(value, `${at}[${name}]`)] as const,
    );
  return {
    set: pairs(input.set, `${path}.set`),
    add: pairs(input.add, `${path}.add`),
    remove: (input.remove ?? []).map((name) => headerName(name, `${path}.remove`).toLowerCase()),
  };
}

export function headerName(name: string, path: string): string {
  if (name === ":authority") return "Host";
  if (!token.test(name)) throw invalid(path, `${JSON.stringify(name)} is not a header name`);
  if (framing.has(name.toLowerCase()))
    throw invalid(path, `${name} frames the message and cannot be set by a route`);
  return name;
}

export function headerValue(value: string, path: string): string {
  if (!fieldValue.test(String(value))) throw invalid(path, "a header value cannot hold control characters");
  return String(value);
}
