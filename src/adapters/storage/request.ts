// One HTTP exchange: redirects followed within bounds, credentials kept to the host they are for.

import { get as httpGet, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { get as httpsGet } from "node:https";
import { StorageError } from "./errors.js";
import { idleMs, maxRedirects } from "./limits.js";
import { redact } from "./uri.js";

export interface RequestOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** The connection failed or fell silent: worth another try. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

export async function openUrl(url: URL, headers: OutgoingHttpHeaders, options: RequestOptions) {
  let at = url;
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const response = await send(at, headers, options);
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return { response, url: at };
    response.destroy();
    at = redirected(at, location, url);
  }
  throw new StorageError(
    `HTTP request to '${redact(url.href)}' was redirected more than ${maxRedirects} times.`,
  );
}

function redirected(from: URL, location: string, start: URL): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (next === undefined || (next.protocol !== "http:" && next.protocol !== "https:")) {
    throw new StorageError(
      `HTTP request to '${redact(start.href)}' was redirected to what is no HTTP address.`,
    );
  }
  // A redirect from TLS to plain text would show the model, and its address, to anyone on the way.
  if (from.protocol === "https:" && next.protocol === "http:") {
    throw new StorageError(
      `HTTP request to '${redact(start.href)}' was redirected from https to plain http.`,
    );
  }
  return next;
}

function send(
  url: URL,
  headers: OutgoingHttpHeaders,
  { env, signal }: RequestOptions,
): Promise<IncomingMessage> {
  const get = url.protocol === "https:" ? httpsGet : httpGet;
  const target = new URL(url);
  target.hash = "";
  target.username = "";
  target.password = "";
  const auth =
    url.username === ""
      ? {}
      : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` };
  return new Promise((resolve, reject) => {
    const request = get(
      target,
      {
        ...auth,
        signal,
        // A compressed answer could not be resumed, nor its length be known.
        headers: {
          "accept-encoding": "identity",
          "user-agent": "drydock",
          ...headers,
          ...headersFor(url, env),
        },
      },
      resolve,
    );
    request.setTimeout(idleMs, () =>
      request.destroy(new ConnectionError(`no answer for ${idleMs / 1000} s`)),
    );
    request.on("error", (error) => {
      if (signal.aborted || error instanceof ConnectionError) reject(error);
      else
        reject(
          new ConnectionError(error.message || (error as NodeJS.ErrnoException).code || "connection failed"),
        );
    });
  });
}

/** Upstream passes a host's headers in a variable named after it: `{hostname}-headers`, a JSON object. */
function headersFor(url: URL, env: RequestOptions["env"]): Readonly<Record<string, string>> {
  const name = `${url.hostname}-headers`;
  const text = env[name];
  if (!text) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) {
      return Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, String(value)]));
    }
  } catch {
    // Told below, without the text: it holds credentials.
  }
  throw new StorageError(`The variable ${name} must hold a JSON object of headers.`);
}
