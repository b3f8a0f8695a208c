// The few shapes of DER (X.690) that a certificate is made of.

/** One value: its tag, its length, its parts one after another. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthBytes(content.length), content]);
}

export const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]) => der(0x31, ...parts);
export const yes = der(0x01, Buffer.of(0xff));
export const octets = (bytes: Uint8Array) => der(0x04, bytes);
export const utf8 = (text: string) => der(0x0c, Buffer.from(text, "utf8"));

/** `unused` counts the bits of the last byte that say nothing. */
export const bits = (bytes: Uint8Array, unused = 0) => der(0x03, Buffer.of(unused), bytes);

/** A positive number, its highest byte first and not zero. */
export const integer = (bytes: Uint8Array) =>
  (bytes[0] ?? 0) < 0x80 ? der(0x02, bytes) : der(0x02, Buffer.of(0), bytes);

/** Inside another value, a tag that means what its place says. */
export const tagged = (number: number, content: Uint8Array) => der(0x80 | number, content);
export const taggedWhole = (number: number, value: Uint8Array) => der(0xa0 | number, value);

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Years from 2050 on need the longer form (RFC 5280, section 4.1.2.5). */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().slice(0, 19).replace(/[-T:]/g, "")}Z`;
  return text < "2050" ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}

/** The values directly inside one, each with its tag and length. */
export function inside(value: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = headerLength(value); at < value.length; ) {
    const rest = value.subarray(at);
    const whole = rest.subarray(0, headerLength(rest) + contentLength(rest));
    found.push(whole);
    at += whole.length;
  }
  return found;
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const bytes = base256(length);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function headerLength(value: Buffer): number {
  const first = value[1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function contentLength(value: Buffer): number {
  const header = headerLength(value);
  return header === 2 ? (value[1] ?? 0) : value.readUIntBE(2, header - 2);
}

function base256(value: number): readonly number[] {
  return value < 0x100 ? [value] : [...base256(Math.floor(value / 0x100)), value % 0x100];
}

function base128(value: number): readonly number[] {
  const last = value % 0x80;
  return value < 0x80 ? [last] : [...base128(Math.floor(value / 0x80)).map((byte) => byte | 0x80), last];
}
