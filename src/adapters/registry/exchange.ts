/**
 * One HTTP exchange with a registry, over Node's own client: fetch takes neither a certificate authority nor a host
 * without TLS checks, and the package that would is five times what we need of it.
 */
import { createHash } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import type { SecureContext } from "node:tls";
import { idleMs, maxHeaderBytes, maxRedirects, maxRetryAfterMs } from "./limits.js";
import { RegistryTrouble } from "./trouble.js";

export interface Line {
  readonly userAgent: string;
  readonly secureContext: SecureContext;
  /** Whether this host's certificate is not checked. */
  readonly isUnverified: (host: string) => boolean;
  /** Whether this host may be told secrets without TLS. */
  readonly isPlain: (host: string) => boolean;
  readonly lookup?: LookupFunction;
  readonly signal: AbortSignal;
}

export interface Ask {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string;
}

/** Follows redirects; credentials stay with the host they were for. The caller reads the answer's body, or destroys it. */
export async function send(ask: Ask, line: Line): Promise<IncomingMessage> {
  let at = ask;
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const answer = await sendOnce(at, line);
    const { location } = answer.headers;
    if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || location === undefined) return answer;
    answer.destroy();
    at = { ...at, ...redirected(at, location) };
  }
  throw new RegistryTrouble(`${ask.url.host} redirected more than ${maxRedirects} times`);
}

function redirected({ url, headers }: Ask, location: string): Pick<Ask, "url" | "headers"> {
  const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (next === undefined || !/^https?:$/.test(next.protocol)) {
    throw new RegistryTrouble(`${url.host} redirected to what is no HTTP address`);
  }
  if (url.protocol === "https:" && next.protocol === "http:") {
    throw new RegistryTrouble(`${url.host} redirected from https to plain http at ${next.host}`);
  }
  if (next.host === url.host) return { url: next, headers };
  const { authorization: _kept, ...rest } = headers;
  return { url: next, headers: rest };
}

function sendOnce({ method, url, headers, body }: Ask, line: Line): Promise<IncomingMessage> {
  const isTls = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    const request = (isTls ? httpsRequest : httpRequest)(
      url,
      {
        method,
        signal: line.signal,
        maxHeaderSize: maxHeaderBytes,
        // No pool: registries are asked seldom, and a connection that was left open may be gone.
        agent: false,
        ...(line.lookup === undefined ? {} : { lookup: line.lookup }),
        ...(isTls
          ? { rejectUnauthorized: !line.isUnverified(url.host), secureContext: line.secureContext }
          : {}),
        headers: {
          "user-agent": line.userAgent,
          // What is checked against a digest must come as it is.
          "accept-encoding": "identity",
          ...headers,
          ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
        },
      },
      resolve,
    );
    request.setTimeout(idleMs, () => request.destroy(new Error(`no answer for ${idleMs / 1000} s`)));
    request.on("error", reject);
    request.end(body);
  });
}

/** The whole body, which must not be larger than that. */
export async function bodyOf(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RegistryTrouble(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** As much of a refusal's body as fits. */
export async function wordsOf(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= maxBytes) break;
    }
  } catch {
    // What came before it broke off is what there is to tell.
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString("utf8");
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** In seconds, or as a date. */
export function retryAfterOf({ headers }: IncomingMessage): number | undefined {
  const text = headers["retry-after"]?.trim();
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), maxRetryAfterMs) : undefined;
}
