// The memory that bodies pass through. All sockets read into one buffer, and what must outlive the next read is copied
// into a spare one that is used again: V8 counts each new buffer of this size, and after some hundred of them it
// collects everything there is, which with a thousand routes costs more than all the copying.
import { leastSpareBytes, mostSpareBytes, readBytes, spareBytes } from "./limits.js";

export class Memory {
  /** What is read here is used or copied before the next read. */
  readonly reading = Buffer.allocUnsafeSlow(readBytes);
  /** Those that are free, by the power of two that is their size. */
  private readonly spares: Buffer[][] = [];
  private bytes = 0;

  /** A part of a buffer as a buffer of its own; who is done with it may give it `back`. */
  copy(from: Buffer, start: number, stop: number): Buffer {
    const length = stop - start;
    if (length < leastSpareBytes || length > mostSpareBytes) {
      const small = Buffer.allocUnsafe(length);
      from.copy(small, 0, start, stop);
      return small;
    }
    const size = 32 - Math.clz32(length - 1);
    const spare = this.spares[size]?.pop();
    if (spare !== undefined) this.bytes -= spare.length;
    const buffer = spare ?? Buffer.allocUnsafeSlow(2 ** size);
    from.copy(buffer, 0, start, stop);
    return length === buffer.length ? buffer : buffer.subarray(0, length);
  }

  /** Nobody will look at these copies again. Those that cannot be used again are forgotten. */
  back(copies: readonly Buffer[]): void {
    for (const { buffer, length } of copies) {
      const whole = buffer.byteLength;
      if (length < leastSpareBytes || length > mostSpareBytes || this.bytes + whole > spareBytes) continue;
      this.bytes += whole;
      const size = 31 - Math.clz32(whole);
      const list = this.spares[size];
      const spare = Buffer.from(buffer as ArrayBuffer);
      if (list === undefined) this.spares[size] = [spare];
      else list.push(spare);
    }
  }
}
