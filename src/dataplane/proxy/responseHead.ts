// The head of a response, read strictly: what two parsers could read in two ways is refused.
import type { ReplyHead } from "./exchange.js";
import { type FieldScanner, isNamed, valueByte, withoutFields } from "./fields.js";

export type Framing = "none" | "length" | "chunked" | "untilClose";

/** It is a reply's head as it stands: none other is made of it. */
export interface ResponseHead extends ReplyHead {
  readonly outcome: "head";
  readonly framing: Framing;
  readonly keepAlive: boolean;
  /** The pod's own idle time, when it tells. */
  readonly idleMs: number | undefined;
}

export interface BadHead {
  readonly outcome: "bad";
  readonly because: string;
}

const bad = (because: string): BadHead => ({ outcome: "bad", because });

const noStatusLine = bad("no HTTP/1.1 status line");

/** `HTTP/1.x NNN`, and a blank before the reason. */
const codeAt = 9;
const reasonAt = 13;

/**
 * `end` is where the empty line's own `\r\n` begins; the head has its last line's. `text` is the same bytes, from the
 * first of them to that end or past it.
 */
export function readResponseHead(
  scanner: FieldScanner,
  bytes: Buffer,
  from: number,
  end: number,
  method: string,
  text: string,
): ResponseHead | BadHead {
  const lineEnd = text.indexOf("\r\n");
  const status = statusOf(bytes, from, lineEnd, text);
  if (status === 0) return noStatusLine;
  const http11 = bytes[from + 7] === 0x31;
  let keepAlive = http11;
  let lines = "";
  let keptFrom = lineEnd + 2;
  let length: number | undefined;
  let chunked = false;
  let connection: string | undefined;
  let idleMs: number | undefined;
  let dated = false;

  for (let at = from + lineEnd + 2; at < end; ) {
    const next = scanner.scan(bytes, at, end);
    if (next <= 0) return bad(next === 0 ? "a header line without an end" : scanner.because);
    let keep = true;
    switch (scanner.nameEnd - at) {
      case 2:
        keep = !isNamed(bytes, at, "te");
        break;
      case 4:
        dated ||= isNamed(bytes, at, "date");
        break;
      case 7:
        // `Trailer` is a hint only, and Node refuses it beside a Content-Length; the trailers themselves pass.
        keep = !isNamed(bytes, at, "upgrade") && !isNamed(bytes, at, "trailer");
        break;
      case 10:
        if (isNamed(bytes, at, "connection")) {
          const value = text.slice(scanner.valueStart - from, scanner.valueEnd - from);
          connection = connection === undefined ? value : `${connection},${value}`;
          keep = false;
        } else if (isNamed(bytes, at, "keep-alive")) {
          idleMs = idleOf(text.slice(scanner.valueStart - from, scanner.valueEnd - from)) ?? idleMs;
          keep = false;
        }
        break;
      case 14:
        if (isNamed(bytes, at, "content-length")) {
          if (length !== undefined) return bad("more than one Content-Length");
          length = countOf(bytes, scanner.valueStart, scanner.valueEnd);
          if (length < 0) return bad("a Content-Length that is not a number");
        }
        break;
      case 16:
        keep = !isNamed(bytes, at, "proxy-connection");
        break;
      case 17:
        if (isNamed(bytes, at, "transfer-encoding")) {
          if (chunked || !isChunked(bytes, scanner)) return bad("a Transfer-Encoding other than chunked");
          chunked = true;
          keep = false;
        }
    }
    if (!keep || !scanner.plain) {
      lines += text.slice(keptFrom, at - from);
      if (keep) lines += rewritten(text, at - from, from, scanner);
      keptFrom = next - from;
    }
    at = next;
  }
  const rest = text.slice(keptFrom, end - from);
  lines = lines === "" ? rest : lines + rest;
  if (chunked && length !== undefined) return bad("both Content-Length and Transfer-Encoding");
  if (chunked && !http11) return bad("chunked in HTTP/1.0");
  if (connection !== undefined) {
    const named = optionsOf(connection);
    if (named.has("close")) keepAlive = false;
    else if (named.has("keep-alive")) keepAlive = true;
    // A field named in Connection was for us alone, unless it frames the message: that one stays.
    named.delete("content-length");
    if (named.size > 1 || !(named.has("close") || named.has("keep-alive")))
      lines = withoutFields(lines, named);
  }
  const framing = frame(method, status, chunked, length);
  if (framing === "untilClose") keepAlive = false;
  const reason = lineEnd > reasonAt ? text.slice(reasonAt, lineEnd) : "";
  const hasBody = framing !== "none";
  return {
    outcome: "head",
    status,
    reason,
    lines,
    length: framing === "length" ? length : undefined,
    hasBody,
    dated,
    framing,
    keepAlive,
    idleMs,
  };
}

function statusOf(bytes: Buffer, from: number, lineEnd: number, text: string): number {
  if (lineEnd < codeAt + 3) return 0;
  if (!text.startsWith("HTTP/1.1 ") && !text.startsWith("HTTP/1.0 ")) return 0;
  const hundreds = (bytes[from + codeAt] as number) - 0x30;
  const status = countOf(bytes, from + codeAt, from + codeAt + 3);
  if (hundreds < 1 || hundreds > 5 || status < 0) return 0;
  if (lineEnd > codeAt + 3 && bytes[from + codeAt + 3] !== 0x20) return 0;
  for (let at = from + codeAt + 3; at < from + lineEnd; at += 1) {
    if (valueByte[bytes[at] as number] !== 1) return 0;
  }
  return status;
}

function frame(method: string, status: number, chunked: boolean, length: number | undefined): Framing {
  if (method === "HEAD" || status === 204 || status === 304 || status < 200) return "none";
  if (chunked) return "chunked";
  if (length !== undefined) return length === 0 ? "none" : "length";
  return "untilClose";
}

/** A line that is well formed but not as we write them. */
export function rewritten(text: string, nameAt: number, from: number, scanner: FieldScanner): string {
  const name = text.slice(nameAt, scanner.nameEnd - from);
  return `${name}: ${text.slice(scanner.valueStart - from, scanner.valueEnd - from)}\r\n`;
}

/** Digits alone, as many as a number holds exactly; else -1. */
export function countOf(bytes: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > 15) return -1;
  let count = 0;
  for (let at = from; at < to; at += 1) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    count = count * 10 + digit;
  }
  return count;
}

export function isChunked(bytes: Uint8Array, { valueStart, valueEnd }: FieldScanner): boolean {
  let after = valueEnd;
  while (bytes[after] === 0x20) after += 1;
  // A tab after it is white space to RFC 9110 and another coding to llhttp: what readers disagree on is refused.
  return valueEnd - valueStart === 7 && bytes[after] !== 0x09 && isNamed(bytes, valueStart, "chunked");
}

/** What `Connection` names, in lower case. */
export function optionsOf(connection: string): Set<string> {
  const options = new Set<string>();
  for (const option of connection.toLowerCase().split(",")) {
    const named = option.trim();
    if (named !== "") options.add(named);
  }
  return options;
}

function idleOf(value: string): number | undefined {
  const at = value.toLowerCase().indexOf("timeout=");
  const seconds = at < 0 ? Number.NaN : Number.parseInt(value.slice(at + 8, at + 14), 10);
  return seconds >= 0 ? seconds * 1000 : undefined;
}
