// Layers as a test wants them, honest or not.
import { gzipSync } from "node:zlib";
import tar from "tar-stream";

export interface LayerEntry {
  readonly name: string;
  readonly body?: Buffer | string;
  readonly mode?: number;
  readonly type?: "file" | "directory" | "symlink" | "link" | "fifo";
  readonly linkname?: string;
}

export async function layerOf(...entries: readonly LayerEntry[]): Promise<Buffer> {
  return gzipSync(await tarOf(...entries));
}

export async function tarOf(...entries: readonly LayerEntry[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { body = "", ...header } of entries) {
    // Dated, or the same layer would be another one a second later.
    pack.entry({ size: Buffer.byteLength(body), mtime: new Date(0), ...header }, body as string);
  }
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
