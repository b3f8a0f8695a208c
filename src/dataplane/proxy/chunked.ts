// Chunked bodies: a strict decoder, and the few bytes an encoder needs.
import { FieldScanner, tokenByte, valueByte } from "./fields.js";
import { chunkLineLimit, trailerLimitBytes } from "./limits.js";

export type Decoded = "more" | "done" | { readonly because: string };

const states = {
  size: 0,
  /** `;name=value` or `;name="value"`, which nobody here reads but everyone must end at the same byte. */
  name: 1,
  value: 2,
  unquoted: 3,
  quoted: 4,
  escaped: 5,
  unquote: 6,
  sizeLf: 7,
  data: 8,
  dataCr: 9,
  dataLf: 10,
  trailer: 11,
} as const;
type State = (typeof states)[keyof typeof states];

const badExtension = "a chunk extension that is none";

const nothing = Buffer.alloc(0);

/** Fed with bytes as they come; says where among them the body's are, and copies none. */
export class ChunkedDecoder {
  /** Where in the last fed buffer the body ended, once it is done. */
  end = 0;
  trailers: readonly string[] = [];
  private state: State = states.size;
  private left = 0;
  private digits = 0;
  private line = 0;
  /** Bytes of the part of an extension that is being read. */
  private named = 0;
  private tail: Buffer = nothing;

  feed(bytes: Buffer, from: number, stop: number, take: (from: number, stop: number) => void): Decoded {
    let at = from;
    while (at < stop) {
      if (this.state === states.data) {
        const until = Math.min(stop, at + this.left);
        take(at, until);
        this.left -= until - at;
        at = until;
        if (this.left === 0) this.state = states.dataCr;
        continue;
      }
      if (this.state === states.trailer) return this.feedTrailer(bytes, at, stop);
      const wrong = this.step(bytes[at] as number);
      if (wrong !== undefined) return { because: wrong };
      at += 1;
    }
    return "more";
  }

  private step(byte: number): string | undefined {
    switch (this.state) {
      case states.size: {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          this.digits += 1;
          // Twelve digits are 256 TiB and still exact in a number.
          if (this.digits > 12) return "a chunk size too long";
          this.left = this.left * 16 + digit;
          return undefined;
        }
        if (this.digits === 0) return "a chunk without a size";
        if (byte === 0x0d) this.state = states.sizeLf;
        else if (byte === 0x3b) this.state = states.name;
        else return "a chunk size that is not hexadecimal";
        return undefined;
      }
      case states.name:
      case states.value:
      case states.unquoted:
      case states.quoted:
      case states.escaped:
      case states.unquote:
        return this.extend(byte);
      case states.sizeLf:
        if (byte !== 0x0a) return "a bare carriage return in a chunk's size line";
        this.state = this.left === 0 ? states.trailer : states.data;
        this.digits = 0;
        this.line = 0;
        this.named = 0;
        return undefined;
      case states.dataCr:
        if (byte !== 0x0d) return "a chunk longer than its size";
        this.state = states.dataLf;
        return undefined;
      default:
        if (byte !== 0x0a) return "a chunk longer than its size";
        this.state = states.size;
        return undefined;
    }
  }

  private extend(byte: number): string | undefined {
    this.line += 1;
    if (this.line > chunkLineLimit) return "a chunk extension too long";
    switch (this.state) {
      case states.quoted:
        if (byte === 0x22) this.state = states.unquote;
        else if (byte === 0x5c) this.state = states.escaped;
        else if (valueByte[byte] !== 1) return badExtension;
        return undefined;
      case states.escaped:
        this.state = states.quoted;
        return valueByte[byte] === 1 ? undefined : badExtension;
      case states.value:
        if (byte === 0x22) this.state = states.quoted;
        else if (tokenByte[byte] === 1) this.state = states.unquoted;
        else return badExtension;
        return undefined;
      default:
        if (this.state !== states.unquote && tokenByte[byte] === 1) {
          this.named += 1;
          return undefined;
        }
        if (this.state === states.name && this.named === 0) return badExtension;
        this.named = 0;
        if (byte === 0x0d) this.state = states.sizeLf;
        else if (byte === 0x3b) this.state = states.name;
        else if (byte === 0x3d && this.state === states.name) this.state = states.value;
        else return badExtension;
        return undefined;
    }
  }

  /** Trailers are rare and short, so they are gathered and read at once. */
  private feedTrailer(bytes: Buffer, from: number, stop: number): Decoded {
    const before = this.tail.length;
    const until = Math.min(stop, from + trailerLimitBytes + 1 - before);
    if (before === 0 && until - from >= 2 && bytes[from] === 0x0d && bytes[from + 1] === 0x0a) {
      this.end = from + 2;
      return "done";
    }
    // A copy, for the bytes may be read over.
    this.tail = Buffer.concat([this.tail, bytes.subarray(from, until)]);
    const scanner = new FieldScanner();
    const trailers: string[] = [];
    for (let at = 0; ; ) {
      if (this.tail[at] === 0x0d && this.tail[at + 1] === 0x0a) {
        this.end = from + at + 2 - before;
        this.trailers = trailers;
        return "done";
      }
      if (at >= this.tail.length - 1 && (this.tail[at] ?? 0x0d) === 0x0d) break;
      const next = scanner.scan(this.tail, at, this.tail.length);
      if (next < 0) return { because: `${scanner.because} among the trailers` };
      if (next === 0) break;
      const name = this.tail.toString("latin1", at, scanner.nameEnd);
      // Some parsers take these for the frame of what follows, so the message ends in two places.
      if (reframes.has(name.toLowerCase())) return { because: `${name} among the trailers` };
      if (mayTrail(name))
        trailers.push(name, this.tail.toString("latin1", scanner.valueStart, scanner.valueEnd));
      at = next;
    }
    return this.tail.length > trailerLimitBytes ? { because: "trailers too long" } : "more";
  }
}

/** After the body it is too late to frame, route or authenticate the message. */
export function mayTrail(name: string): boolean {
  return !tooLate.has(name.toLowerCase());
}

const reframes: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);

const tooLate: ReadonlySet<string> = new Set([
  ...reframes,
  "host",
  "connection",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "authorization",
  "content-encoding",
  "content-type",
  "content-range",
  "set-cookie",
]);

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

export function lastChunk(trailers: readonly string[]): string {
  let text = "0\r\n";
  for (let index = 0; index + 1 < trailers.length; index += 2)
    text += `${trailers[index]}: ${trailers[index + 1]}\r\n`;
  return `${text}\r\n`;
}
