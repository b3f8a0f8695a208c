// A request's body as one buffer, never larger than the bound.

import type { IncomingMessage } from "node:http";
import { RequestError } from "./errors.js";

const empty = Buffer.alloc(0);

export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > maxBytes) return Promise.reject(tooLarge(maxBytes));
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    return Promise.reject(
      new RequestError(415, `Content-Encoding ${encoding} is not supported: send plain JSON.`),
    );
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        request.pause();
        reject(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    });
    request.on("end", () =>
      resolve(chunks.length === 1 ? chunks[0]! : chunks.length === 0 ? empty : Buffer.concat(chunks)),
    );
    request.on("error", reject);
  });
}

function tooLarge(maxBytes: number) {
  return new RequestError(413, `The request body is larger than ${maxBytes} bytes.`);
}
