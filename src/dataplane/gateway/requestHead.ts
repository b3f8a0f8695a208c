// The head of a request, read once and strictly: one pass over its bytes checks the grammar, takes out what steers the
// request and keeps the rest as lines. Every front reads by it, so that all refuse the same.
import { METHODS } from "node:http";
import {
  byteSet,
  countOf,
  FieldScanner,
  isChunked,
  isNamed,
  letterBit,
  optionsOf,
  rewritten,
  tokenByte,
  withoutFields,
} from "../proxy/index.js";
import type { Hop } from "./hop.js";
import { cleanPath, Incoming } from "./incoming.js";

export interface Refusal {
  readonly status: 400 | 405 | 417;
  readonly because: string;
}

/** A method nobody knows is refused where Node's parser would: no two parsers then read what follows in two ways. */
const methods: ReadonlySet<string> = new Set(METHODS);
const isMethod = (method: string) => method === "POST" || method === "GET" || methods.has(method);

const longestMethod = 16;
const tab = 0x09;
/** Visible ASCII but for `#`, which no request carries. */
const targetByte = byteSet((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x23);
const hostByte = byteSet((byte) => /[\w.~!$&'()*+,;=:[\]%-]/.test(String.fromCharCode(byte)));

const refuse = (because: string): Refusal => ({ status: 400, because });

const noRequestLine = refuse("no request line");

export class RequestReader {
  private readonly scanner = new FieldScanner();
  /** The field lines that want a whole look: their names begin with one of ours. */
  private connection: string | undefined;
  private upgrade: string | undefined;
  private host: string | undefined;
  private hosts = 0;
  private closes = false;
  private wrong: Refusal | undefined;

  /**
   * From the first byte of the request line; `end` is where the empty line begins. `text` is the same bytes, from the
   * first of them to that end or past it.
   */
  read(
    bytes: Buffer,
    from: number,
    end: number,
    hop: Hop,
    text = bytes.toString("latin1", from, end),
  ): Incoming | Refusal {
    const { scanner } = this;
    const incoming = new Incoming();
    incoming.hop = hop;
    this.connection = undefined;
    this.upgrade = undefined;
    this.host = undefined;
    this.hosts = 0;
    this.closes = false;
    this.wrong = undefined;

    const lineEnd = this.readLine(incoming, bytes, from, end, text);
    if (lineEnd < 0) return this.wrong ?? noRequestLine;
    let lines = "";
    let letters = 0;
    let keptFrom = lineEnd;
    for (let at = from + lineEnd; at < end; ) {
      const next = scanner.scan(bytes, at, end);
      if (next <= 0) return refuse(next === 0 ? "a header line without an end" : scanner.because);
      const keep = this.readField(incoming, bytes, at, text, from);
      if (this.wrong !== undefined) return this.wrong;
      if (keep) letters |= letterBit(bytes[at] as number);
      if (!keep || !scanner.plain) {
        if (at - from > keptFrom) lines += text.slice(keptFrom, at - from);
        if (keep) lines += rewritten(text, at - from, from, scanner);
        keptFrom = next - from;
      }
      at = next;
    }
    incoming.lines = keptFrom < end - from ? lines + text.slice(keptFrom, end - from) : lines;
    incoming.letters = letters;
    return this.settle(incoming) ?? incoming;
  }

  /** What is wrong already with a head that has not come to its end, so that nobody waits for the rest of it. */
  early(bytes: Buffer, from: number): Refusal | undefined {
    const stop = bytes.length;
    this.wrong = undefined;
    let at = from;
    while (at < stop && tokenByte[bytes[at] as number] === 1) at += 1;
    if (at - from > longestMethod) return refuse("a method nobody knows");
    if (at === stop) return undefined;
    if (bytes[at] !== 0x20 || at === from) return noRequestLine;
    at += 1;
    while (at < stop && targetByte[bytes[at] as number] === 1) at += 1;
    const version = bytes.toString("latin1", at, at + http11.length);
    if (version.length < http11.length)
      return http11.startsWith(version) || http10.startsWith(version) ? undefined : noRequestLine;
    if (version !== http11 && version !== http10) return noRequestLine;
    at += http11.length;
    while (at < stop && bytes[at] !== 0x0d) {
      const next = this.scanner.scan(bytes, at, stop);
      if (next < 0) return refuse(this.scanner.because);
      if (next === 0) return undefined;
      at = next;
    }
    return at + 1 < stop && bytes[at + 1] !== 0x0a ? refuse("a bare carriage return") : undefined;
  }

  private readLine(incoming: Incoming, bytes: Buffer, from: number, end: number, text: string): number {
    let at = from;
    while (at < end && tokenByte[bytes[at] as number] === 1) at += 1;
    if (at === from || at >= end || bytes[at] !== 0x20) return -1;
    const method = text.slice(0, at - from);
    const targetAt = at + 1;
    let unclean = false;
    let before = 0;
    for (at = targetAt; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (targetByte[byte] !== 1) break;
      // A dot segment, one in disguise, or what some take for a slash.
      if ((byte === 0x2e && before === 0x2f) || byte === 0x5c || isEncodedDot(bytes, at)) unclean = true;
      before = byte;
    }
    if (at === targetAt) return -1;
    const version = text.slice(at - from, at - from + http11.length);
    incoming.http10 = version === http10;
    if (version !== http11 && !incoming.http10) return -1;
    if (!isMethod(method)) {
      this.wrong = refuse("a method nobody knows");
      return -1;
    }
    if (method === "CONNECT") {
      this.wrong = { status: 405, because: "this is no forward proxy" };
      return -1;
    }
    incoming.method = method;
    let target = text.slice(targetAt - from, at - from);
    if (bytes[targetAt] !== 0x2f) {
      const absolute = this.absolute(target, method);
      if (absolute === undefined) return -1;
      target = absolute;
    }
    incoming.target = unclean ? cleanPath(target) : target;
    return at - from + http11.length;
  }

  /** A proxy's form of request: the URL's own host counts, and the header's does not. */
  private absolute(target: string, method: string): string | undefined {
    if (target === "*" && method === "OPTIONS") return target;
    const parts = /^https?:\/\/([^/?]+)(.*)$/is.exec(target);
    if (parts === null) {
      this.wrong = refuse("a request target that is not a path");
      return undefined;
    }
    const [, host = "", rest = ""] = parts;
    if (!isHost(host)) {
      this.wrong = refuse("a request target whose host is none");
      return undefined;
    }
    this.host = host;
    return rest.startsWith("/") ? rest : `/${rest}`;
  }

  /** True for a field that goes on to the pod as it is. */
  private readField(incoming: Incoming, bytes: Buffer, at: number, text: string, from: number): boolean {
    const { scanner } = this;
    switch (scanner.nameEnd - at) {
      case 2:
        return !isNamed(bytes, at, "te");
      case 4:
        if (!isNamed(bytes, at, "host")) return true;
        return this.readHost(incoming, bytes, text, from);
      case 6:
        if (!isNamed(bytes, at, "expect")) return true;
        incoming.expect = this.value(text, from).toLowerCase();
        return false;
      case 7:
        if (isNamed(bytes, at, "upgrade")) {
          this.upgrade = joined(this.upgrade, this.value(text, from));
          return false;
        }
        return !isNamed(bytes, at, "trailer");
      case 9:
        if (!isNamed(bytes, at, "forwarded")) return true;
        incoming.forwarded = joined(incoming.forwarded, this.value(text, from));
        return false;
      case 10:
        if (isNamed(bytes, at, "connection")) {
          this.connection = joined(this.connection, this.value(text, from));
          return false;
        }
        return !isNamed(bytes, at, "keep-alive");
      case 11:
        if (!isNamed(bytes, at, "traceparent")) return true;
        // Two of them are none: nobody could say which is meant.
        incoming.traceparent = incoming.traceparent === undefined ? this.value(text, from) : "";
        return false;
      case 12:
        if (isNamed(bytes, at, "content-type")) incoming.grpc ||= isGrpc(bytes, scanner);
        else if (isNamed(bytes, at, "x-request-id")) {
          incoming.requestId ??= this.value(text, from);
          return false;
        }
        return true;
      case 14:
        if (isNamed(bytes, at, "content-length")) {
          if (incoming.contentLength !== undefined) this.wrong = refuse("more than one Content-Length");
          const length = countOf(bytes, scanner.valueStart, scanner.valueEnd);
          // A tab beside the number is no part of it to some.
          if (length < 0 || bytes[scanner.valueStart - 1] === tab || bytes[scanner.valueEnd] === tab)
            this.wrong = refuse("a Content-Length that is not a number");
          incoming.contentLength = length;
          return false;
        }
        return !isNamed(bytes, at, "http2-settings");
      case 15:
        if (isNamed(bytes, at, "k-network-probe")) incoming.probe = this.value(text, from);
        else if (isNamed(bytes, at, "x-forwarded-for")) {
          incoming.forwardedFor = listed(incoming.forwardedFor, this.value(text, from));
          return false;
        }
        return true;
      case 16:
        if (isNamed(bytes, at, "x-forwarded-host")) {
          incoming.forwardedHost ??= this.value(text, from);
          return false;
        }
        if (isNamed(bytes, at, "x-drydock-timing")) {
          incoming.timed = this.value(text, from) === "1";
          return false;
        }
        if (!isNamed(bytes, at, "proxy-connection")) return true;
        // Never a standard, but Node's parser heeds it: the same end for both.
        this.closes ||= optionsOf(this.value(text, from)).has("close");
        return false;
      case 17:
        if (isNamed(bytes, at, "x-forwarded-proto")) {
          incoming.forwardedProto ??= this.value(text, from);
          return false;
        }
        if (!isNamed(bytes, at, "transfer-encoding")) return true;
        if (incoming.chunked || !isChunked(bytes, scanner))
          this.wrong = refuse("a Transfer-Encoding other than chunked");
        incoming.chunked = true;
        return false;
      case 19:
        return !isNamed(bytes, at, "proxy-authorization");
      default:
        return true;
    }
  }

  private value(text: string, from: number): string {
    return text.slice(this.scanner.valueStart - from, this.scanner.valueEnd - from);
  }

  private readHost(incoming: Incoming, bytes: Buffer, text: string, from: number): false {
    const { valueStart, valueEnd } = this.scanner;
    // Two hosts are two requests to two parsers.
    this.hosts += 1;
    // As it was asked before on this connection: the same string, whose hash is known.
    const known = incoming.hop.knownHost(bytes, valueStart, valueEnd);
    const host = known ?? text.slice(valueStart - from, valueEnd - from);
    if (this.hosts > 1) this.wrong = refuse("more than one Host");
    else if (known === undefined && !isHost(host)) this.wrong = refuse("a Host that is none");
    incoming.host = host;
    return false;
  }

  /** What only the whole head can tell. */
  private settle(incoming: Incoming): Refusal | undefined {
    if (this.host !== undefined) incoming.host = this.host;
    if (incoming.host === "" && !incoming.http10) return refuse("no Host");
    if (incoming.chunked && incoming.contentLength !== undefined)
      return refuse("both Content-Length and Transfer-Encoding");
    if (incoming.chunked && incoming.http10) return refuse("chunked in HTTP/1.0");
    incoming.keepAlive = !incoming.http10;
    if (this.connection !== undefined) this.obey(incoming, this.connection);
    if (this.closes) incoming.keepAlive = false;
    if (incoming.upgrade !== undefined && incoming.hasBody) return refuse("an upgrade with a body");
    if (incoming.expect !== undefined) {
      // HTTP/1.0 has no interim answers, so the wish is void there.
      if (incoming.http10) incoming.expect = undefined;
      else if (incoming.expect !== "100-continue")
        return { status: 417, because: "an expectation other than 100-continue" };
    }
    return undefined;
  }

  private obey(incoming: Incoming, connection: string): void {
    if (connection === "keep-alive" || connection === "Keep-Alive") {
      incoming.keepAlive = true;
      return;
    }
    const options = optionsOf(connection);
    if (options.has("close")) incoming.keepAlive = false;
    else if (options.has("keep-alive")) incoming.keepAlive = true;
    if (options.has("upgrade") && this.upgrade !== undefined) {
      if (this.upgrade.toLowerCase() === "websocket" && !incoming.http10) incoming.upgrade = "websocket";
      else incoming.declined = true;
    }
    // Fields named in Connection were meant for us alone.
    if (connection !== "close") incoming.lines = withoutFields(incoming.lines, options);
  }
}

const http11 = " HTTP/1.1\r\n";
const http10 = " HTTP/1.0\r\n";

function isEncodedDot(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0x25 && bytes[at + 1] === 0x32 && ((bytes[at + 2] as number) | 0x20) === 0x65;
}

function isHost(host: string): boolean {
  for (let at = 0; at < host.length; at += 1) {
    if (hostByte[host.charCodeAt(at)] !== 1) return false;
  }
  return true;
}

function isGrpc(bytes: Buffer, { valueStart, valueEnd }: FieldScanner): boolean {
  return valueEnd - valueStart >= grpcType.length && isNamed(bytes, valueStart, grpcType);
}
const grpcType = "application/grpc";

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`;
}

function listed(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}
