// The grammar of header fields, strict: what two parsers could read in two ways is refused. Requests, responses and
// trailers are all read by it, and what it lets pass can be written again as lines without another look.

/** RFC 9110 `token`: names of fields and methods. */
export const tokenByte = byteSet((byte) => /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte)));

/** What a value may hold: visible characters, blanks, and bytes beyond ASCII. No controls. */
export const valueByte = byteSet((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));

export function byteSet(holds: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte) ? 1 : 0));
}

const more = 0;
const wrong = -1;

/** Reads one field line after another; where its parts are is left in the scanner, so that reading allocates nothing. */
export class FieldScanner {
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** The line reads `Name: value` to the byte, so it is its own rewriting. */
  plain = false;
  because = "";

  /** Where the next line begins; 0 when the bytes end first, -1 when this is no field line. */
  scan(bytes: Uint8Array, from: number, stop: number): number {
    let at = from;
    while (at < stop && tokenByte[bytes[at] as number] === 1) at += 1;
    if (at >= stop) return more;
    // Also refuses folded lines and a space before the colon, where parsers are known to disagree.
    if (bytes[at] !== 0x3a) return this.refuse("a header name that is not a token");
    if (at === from) return this.refuse("a header line without a name");
    this.nameEnd = at;
    at += 1;
    while (at < stop && isBlank(bytes[at] as number)) at += 1;
    this.valueStart = at;
    while (at < stop && valueByte[bytes[at] as number] === 1) at += 1;
    if (at >= stop) return more;
    if (bytes[at] !== 0x0d)
      return this.refuse(bytes[at] === 0x0a ? "a bare line feed" : "a control character in a header");
    if (at + 1 >= stop) return more;
    if (bytes[at + 1] !== 0x0a) return this.refuse("a bare carriage return");
    let end = at;
    while (end > this.valueStart && isBlank(bytes[end - 1] as number)) end -= 1;
    this.valueEnd = end;
    this.plain = end === at && this.valueStart === this.nameEnd + 2 && bytes[this.nameEnd + 1] === 0x20;
    return at + 2;
  }

  private refuse(because: string): number {
    this.because = because;
    return wrong;
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}

/** Whether a name, known to be a token, is this one; `lower` has only small letters, digits and hyphens. */
export function isNamed(bytes: Uint8Array, from: number, lower: string): boolean {
  for (let index = 0; index < lower.length; index += 1) {
    if (((bytes[from + index] as number) | 0x20) !== lower.charCodeAt(index)) return false;
  }
  return true;
}

/** The first letter of a name as one bit: a name whose bit is not in a mask is not among the names it was made of. */
export function letterBit(byte: number): number {
  return 1 << (byte & 31);
}

export function lettersOf(names: Iterable<string>): number {
  let letters = 0;
  for (const name of names) letters |= letterBit(name.charCodeAt(0));
  return letters;
}

/** Names and values in turn, as lines. */
export function toLines(pairs: readonly string[]): string {
  let lines = "";
  for (let index = 0; index + 1 < pairs.length; index += 2)
    lines += `${pairs[index]}: ${pairs[index + 1]}\r\n`;
  return lines;
}

/** Lines as names and values in turn. */
export function toPairs(lines: string): string[] {
  const pairs: string[] = [];
  eachLine(lines, (name, value) => pairs.push(name, value));
  return pairs;
}

/** The lines without those of these names, given in lower case. */
export function withoutFields(lines: string, names: ReadonlySet<string>): string {
  let kept = "";
  eachLine(lines, (name, value) => {
    if (!names.has(name.toLowerCase())) kept += `${name}: ${value}\r\n`;
  });
  return kept;
}

/** The first value of this name, given in lower case. */
export function fieldOf(lines: string, lower: string): string | undefined {
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(":", at);
    const end = lines.indexOf("\r\n", colon);
    if (colon - at === lower.length && lines.slice(at, colon).toLowerCase() === lower)
      return lines.slice(colon + 2, end);
    at = end + 2;
  }
  return undefined;
}

export function eachLine(lines: string, take: (name: string, value: string) => void): void {
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(":", at);
    const end = lines.indexOf("\r\n", colon);
    take(lines.slice(at, colon), lines.slice(colon + 2, end));
    at = end + 2;
  }
}

/** One piece instead of the pieces it was put together from; for text that is made once and written often. */
export function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** Where the empty line after a head begins, its last line's end included; -1 when it is not there yet. */
export function headEndOf(bytes: Uint8Array, from: number, stop: number): number {
  // The last of the four bytes that is looked for tells how far the next one is at least.
  for (let at = from + 3; at < stop; ) {
    const byte = bytes[at] as number;
    if (byte === lf) {
      if (bytes[at - 1] === cr && bytes[at - 2] === lf && bytes[at - 3] === cr) return at - 3;
      at += 2;
    } else at += byte === cr ? 1 : 4;
  }
  return -1;
}
const cr = 0x0d;
const lf = 0x0a;
