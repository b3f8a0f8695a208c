// The wire format of protocol buffers: tags, varints, lengths. It knows nothing of Kubernetes.

/** The bytes are not what they should be; never leaves this folder. */
export class Malformed extends Error {}

export type WireValue =
  | { readonly type: "varint"; readonly value: bigint }
  | { readonly type: "fixed64"; readonly bytes: Uint8Array }
  | { readonly type: "fixed32"; readonly bytes: Uint8Array }
  | { readonly type: "bytes"; readonly bytes: Uint8Array };

/** Each field of a message with its number, in order. */
export function* fieldsOf(message: Uint8Array): Generator<readonly [number, WireValue]> {
  let at = 0;
  while (at < message.length) {
    const tag = varintAt(message, at);
    at = tag.next;
    const number = Number(tag.value >> 3n);
    const type = Number(tag.value & 7n);
    if (type === 0) {
      const { value, next } = varintAt(message, at);
      at = next;
      yield [number, { type: "varint", value }];
    } else if (type === 1) {
      yield [number, { type: "fixed64", bytes: slice(message, at, 8) }];
      at += 8;
    } else if (type === 5) {
      yield [number, { type: "fixed32", bytes: slice(message, at, 4) }];
      at += 4;
    } else if (type === 2) {
      const length = varintAt(message, at);
      const bytes = slice(message, length.next, Number(length.value));
      at = length.next + bytes.length;
      yield [number, { type: "bytes", bytes }];
    } else {
      throw new Malformed(`wire type ${type} of field ${number} is not known`);
    }
  }
}

export function varintAt(bytes: Uint8Array, from: number): { readonly value: bigint; readonly next: number } {
  let value = 0n;
  let shift = 0n;
  for (let at = from; at < bytes.length && at < from + 10; at++) {
    const byte = bytes[at] as number;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value, next: at + 1 };
    shift += 7n;
  }
  throw new Malformed("a number does not end");
}

function slice(bytes: Uint8Array, from: number, length: number): Uint8Array {
  if (from + length > bytes.length) throw new Malformed("the message ends too early");
  return bytes.subarray(from, from + length);
}
