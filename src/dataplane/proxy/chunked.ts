// Chunked bodies: a strict decoder, and the few bytes an encoder needs.
import { chunkLineLimit, trailerLimitBytes } from "./limits.js";

export type Decoded = "more" | "done" | { readonly because: string };

const states = { size: 0, extension: 1, sizeLf: 2, data: 3, dataCr: 4, dataLf: 5, trailer: 6 } as const;
type State = (typeof states)[keyof typeof states];

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const illegal = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/;

/** Fed with bytes as they come; hands on slices of them, never copies. */
export class ChunkedDecoder {
  /** Where in the last fed buffer the body ended, once it is done. */
  end = 0;
  trailers: readonly string[] = [];
  private state: State = states.size;
  private left = 0;
  private digits = 0;
  private line = 0;
  private tail = "";

  feed(bytes: Buffer, from: number, take: (slice: Buffer) => void): Decoded {
    let at = from;
    const stop = bytes.length;
    while (at < stop) {
      if (this.state === states.data) {
        const until = Math.min(stop, at + this.left);
        take(at === 0 && until === stop ? bytes : bytes.subarray(at, until));
        this.left -= until - at;
        at = until;
        if (this.left === 0) this.state = states.dataCr;
        continue;
      }
      if (this.state === states.trailer) return this.feedTrailer(bytes, at);
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
        else if (byte === 0x3b || byte === 0x20 || byte === 0x09) this.state = states.extension;
        else return "a chunk size that is not hexadecimal";
        return undefined;
      }
      case states.extension:
        this.line += 1;
        if (this.line > chunkLineLimit) return "a chunk extension too long";
        if (byte === 0x0d) this.state = states.sizeLf;
        else if (byte === 0x0a) return "a bare line feed in a chunk's size line";
        return undefined;
      case states.sizeLf:
        if (byte !== 0x0a) return "a bare carriage return in a chunk's size line";
        this.state = this.left === 0 ? states.trailer : states.data;
        this.digits = 0;
        this.line = 0;
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

  /** Trailers are rare and short, so they are gathered as text and read at once. */
  private feedTrailer(bytes: Buffer, from: number): Decoded {
    const before = this.tail.length;
    this.tail += bytes.toString(
      "latin1",
      from,
      Math.min(bytes.length, from + trailerLimitBytes + 1 - before),
    );
    const end = this.tail.startsWith("\r\n") ? 2 : this.tail.indexOf("\r\n\r\n") + 4;
    if (end < 4 && end !== 2) {
      return this.tail.length > trailerLimitBytes ? { because: "trailers too long" } : "more";
    }
    this.end = from + end - before;
    const text = this.tail.slice(0, end);
    if (illegal.test(text)) return { because: "a control character in the trailers" };
    const trailers: string[] = [];
    for (const line of text.split("\r\n")) {
      if (line === "") continue;
      const colon = line.indexOf(":");
      const name = line.slice(0, Math.max(colon, 0));
      if (!token.test(name)) return { because: "a trailer that is not a header line" };
      if (!mayTrail(name)) continue;
      trailers.push(name, line.slice(colon + 1).trim());
    }
    this.trailers = trailers;
    return "done";
  }
}

/** After the body it is too late to frame, route or authenticate the message. */
export function mayTrail(name: string): boolean {
  return !/^(?:content-length|transfer-encoding|host|connection|te|trailer|upgrade|expect|authorization|content-encoding|content-type|content-range|set-cookie)$/i.test(
    name,
  );
}

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
