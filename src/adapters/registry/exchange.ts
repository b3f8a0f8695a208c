/**
 * One HTTP exchange with a registry, over Node's own client: fetch takes neither a certificate authority nor a host
 * without TLS checks, and the package that would is five times what we need of it.
 */
import { createHash } from "node:crypto";
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import { urlToHttpOptions } from "node:url";
import { idleMs, maxHeaderBytes, maxRedirects, maxRetryAfterMs } from "./limits.js";
import { proxyAway, proxyHeaders, tunnel } from "./proxy.js";
import { RegistryTrouble } from "./trouble.js";

export interface Line {
  readonly userAgent: string;
  /** Whom this host is trusted by, and the certificate that we show to it. */
  readonly secureContext: (host: string) => Promise<SecureContext>;
  /** Throws RegistryTrouble when what is set is none. */
  readonly proxyFor: (url: URL) => URL | undefined;
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

async function sendOnce(ask: Ask, line: Line): Promise<IncomingMessage> {
  const { url } = ask;
  const proxy = line.proxyFor(url);
  if (url.protocol === "http:") {
    if (proxy === undefined) return exchange(ask, line, url, {});
    // Without TLS the proxy itself asks, and is told the whole address.
    const { hostname, port, protocol } = proxy;
    const through = {
      protocol,
      hostname,
      port,
      path: url.href,
      headers: { host: url.host, ...proxyHeaders(proxy) },
    };
    return exchange(ask, line, through, {}).catch((error: Error) => {
      throw error instanceof RegistryTrouble ? error : proxyAway(proxy, error);
    });
  }
  const tls = {
    rejectUnauthorized: !line.isUnverified(url.host),
    secureContext: await line.secureContext(url.host),
  };
  if (proxy === undefined) return exchange(ask, line, url, tls);
  const socket = await tunnel(proxy, url, line.signal);
  const servername = isIP(url.hostname) === 0 ? url.hostname : "";
  return exchange(ask, line, url, {
    createConnection: () => connectTls({ ...tls, socket, servername, host: url.hostname }),
  });
}

function exchange(
  { method, headers, body }: Ask,
  line: Line,
  to: URL | RequestOptions,
  more: RequestOptions,
): Promise<IncomingMessage> {
  const isTls = to.protocol === "https:";
  const extra = to instanceof URL ? {} : to.headers;
  return new Promise((resolve, reject) => {
    const request = (isTls ? httpsRequest : httpRequest)(
      {
        ...(to instanceof URL ? urlToHttpOptions(to) : to),
        method,
        signal: line.signal,
        maxHeaderSize: maxHeaderBytes,
        // No pool: registries are asked seldom, and a connection that was left open may be gone.
        ...(more.createConnection === undefined && { agent: false }),
        ...(line.lookup === undefined ? {} : { lookup: line.lookup }),
        ...more,
        headers: {
          ...(extra as OutgoingHttpHeaders | undefined),
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
