// The head of a response, read strictly: what two parsers could read in two ways is refused.

export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "untilClose" };

export interface ResponseHead {
  readonly outcome: "head";
  readonly status: number;
  readonly reason: string;
  /** End-to-end fields only, names and values in turn. */
  readonly headers: string[];
  readonly framing: Framing;
  readonly keepAlive: boolean;
  /** The pod's own idle time, when it tells. */
  readonly idleMs: number | undefined;
}

export interface BadHead {
  readonly outcome: "bad";
  readonly because: string;
}

const statusLine = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const illegal = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/;
const digits = /^[0-9]{1,15}$/;
const noBody: Framing = { kind: "none" };

const bad = (because: string): BadHead => ({ outcome: "bad", because });

/** `text` is the head as latin1, without the empty line that ends it. */
export function parseResponseHead(text: string, method: string): ResponseHead | BadHead {
  if (illegal.test(text)) return bad("a control character in the response head");
  let end = text.indexOf("\r\n");
  if (end < 0) end = text.length;
  const line = statusLine.exec(text.slice(0, end));
  if (line === null) return bad("no HTTP/1.1 status line");
  const status = Number(line[2]);
  let keepAlive = line[1] === "1";

  const headers: string[] = [];
  let length: number | undefined;
  let chunked = false;
  let connection = "";
  let idleMs: number | undefined;
  while (end < text.length) {
    const start = end + 2;
    end = text.indexOf("\r\n", start);
    if (end < 0) end = text.length;
    const colon = text.indexOf(":", start);
    if (colon < 0 || colon > end) return bad("a header line without a colon");
    const name = text.slice(start, colon);
    // Also refuses folded lines and a space before the colon, where parsers are known to disagree.
    if (!token.test(name)) return bad("a header name that is not a token");
    const value = trim(text, colon + 1, end);
    switch (name.toLowerCase()) {
      case "content-length":
        if (length !== undefined) return bad("more than one Content-Length");
        if (!digits.test(value)) return bad("a Content-Length that is not a number");
        length = Number(value);
        headers.push(name, value);
        break;
      case "transfer-encoding":
        if (chunked || value.toLowerCase() !== "chunked")
          return bad("a Transfer-Encoding other than chunked");
        chunked = true;
        break;
      case "connection":
        connection += `,${value.toLowerCase()}`;
        break;
      case "keep-alive": {
        const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(value)?.[1];
        if (seconds !== undefined) idleMs = Number(seconds) * 1000;
        break;
      }
      case "proxy-connection":
      case "upgrade":
      case "te":
      // A hint only, and Node refuses it beside a Content-Length; the trailers themselves pass.
      case "trailer":
        break;
      default:
        headers.push(name, value);
    }
  }
  if (chunked && length !== undefined) return bad("both Content-Length and Transfer-Encoding");
  if (chunked && line[1] === "0") return bad("chunked in HTTP/1.0");

  if (connection !== "") {
    for (const option of connection.split(",")) {
      const named = option.trim();
      if (named === "close") keepAlive = false;
      else if (named === "keep-alive") keepAlive ||= line[1] === "0";
      else if (named !== "" && named !== "upgrade") removeHeader(headers, named);
    }
  }
  const framing = frame(method, status, chunked, length);
  if (framing.kind === "untilClose") keepAlive = false;
  return { outcome: "head", status, reason: line[3] ?? "", headers, framing, keepAlive, idleMs };
}

function frame(method: string, status: number, chunked: boolean, length: number | undefined): Framing {
  if (method === "HEAD" || status === 204 || status === 304 || status < 200) return noBody;
  if (chunked) return { kind: "chunked" };
  if (length !== undefined) return length === 0 ? noBody : { kind: "length", length };
  return { kind: "untilClose" };
}

function trim(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** A field named in Connection was for us alone, unless it frames the message: that one stays. */
function removeHeader(headers: string[], lower: string): void {
  if (lower === "content-length") return;
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if ((headers[index] as string).toLowerCase() === lower) headers.splice(index, 2);
  }
}
