// IP addresses and blocks of them, v4 and v6, as bits to compare.

/** An address as 4 or 16 numbers from 0 to 255. */
export function parseIp(text: string): readonly number[] | undefined {
  const plain = text.startsWith("::ffff:") && text.includes(".") ? text.slice(7) : text;
  return plain.includes(":") ? parseV6(plain) : parseV4(plain);
}

function parseV4(text: string): readonly number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseV6(text: string): readonly number[] | undefined {
  const [head = "", tail, more] = text.split("::");
  if (more !== undefined) return undefined;
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  if (front === undefined || back === undefined) return undefined;
  const missing = 16 - front.length - back.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...front, ...Array<number>(missing).fill(0), ...back];
}

function groups(text: string): readonly number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  for (const group of text.split(":")) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    bytes.push(value >> 8, value & 255);
  }
  return bytes;
}

export interface IpBlock {
  readonly bytes: readonly number[];
  readonly bits: number;
}

export function parseIpBlock(text: string): IpBlock | undefined {
  const [address = "", length, more] = text.split("/");
  const bytes = parseIp(address);
  if (bytes === undefined || more !== undefined) return undefined;
  if (length === undefined) return { bytes, bits: bytes.length * 8 };
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.POSITIVE_INFINITY;
  return bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

export function isIpBlock(text: string): boolean {
  return parseIpBlock(text) !== undefined;
}

export function inBlock({ bytes, bits }: IpBlock, address: readonly number[]): boolean {
  if (address.length !== bytes.length) return false;
  return bytes.every((byte, index) => {
    const left = bits - index * 8;
    if (left <= 0) return true;
    const mask = left >= 8 ? 255 : (255 << (8 - left)) & 255;
    return (byte & mask) === ((address[index] ?? 0) & mask);
  });
}
