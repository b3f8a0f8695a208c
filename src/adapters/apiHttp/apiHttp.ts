/** One server's API over HTTPS, bytes in and bytes out. A refusal becomes a PortError in the server's own words. */
import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { PortError, type PortErrorReason } from "../../ports/index.js";

export interface ApiHttpOptions {
  readonly server: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

export interface ApiHttpRequest {
  readonly method?: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface ApiHttp {
  readonly server: string;
  /** The answer's JSON, or its text when it is something else. */
  request(request: ApiHttpRequest): Promise<unknown>;
  /** The answer as it comes, without end if need be. */
  stream(request: ApiHttpRequest): Promise<AsyncIterable<Uint8Array>>;
  close(): void;
}

export function apiHttp({ server, token, ...tls }: ApiHttpOptions): ApiHttp {
  const agent = new Agent({ keepAlive: true, ...tls });

  function send(asked: ApiHttpRequest): Promise<IncomingMessage> {
    const url = new URL(asked.path, server);
    for (const [name, value] of Object.entries(asked.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = {
      accept: asked.accept ?? "application/json",
      "user-agent": "drydock",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(asked.body === undefined
        ? {}
        : {
            "content-type": asked.contentType ?? "application/json",
            "content-length": Buffer.byteLength(asked.body),
          }),
    };
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        url,
        { agent, method: asked.method ?? "GET", headers, ...(asked.signal && { signal: asked.signal }) },
        resolve,
      );
      request.on("error", (error) => reject(unreachable(server, error)));
      request.end(asked.body);
    });
  }

  async function answered(asked: ApiHttpRequest): Promise<IncomingMessage> {
    const response = await send(asked);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw refused(status, parse(await textOf(response)));
  }

  return {
    server,
    request: async (asked) => parse(await textOf(await answered(asked))),
    async stream(asked) {
      const response = await answered(asked);
      return chunksOf(response, server);
    },
    close: () => agent.destroy(),
  };
}

async function* chunksOf(response: IncomingMessage, server: string): AsyncIterable<Uint8Array> {
  try {
    yield* response as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw unreachable(server, error as Error);
  } finally {
    response.destroy();
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function refused(status: number, body: unknown): PortError {
  const said = (typeof body === "object" && body !== null ? body : {}) as {
    readonly reason?: string;
    readonly message?: string;
  };
  const message =
    said.message || (typeof body === "string" && body.trim()) || `the server answered with HTTP ${status}`;
  return new PortError((said.reason || "Unknown") as PortErrorReason, message, { status: body });
}

function unreachable(server: string, error: Error): PortError {
  if (error.name === "AbortError") return new PortError("Timeout", "interrupted", { cause: error });
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === "ECONNREFUSED" ? `nothing listens at ${server}` : `${server}: ${error.message || code || "?"}`;
  return new PortError("ServiceUnavailable", `cannot reach the API: ${why}. See \`drydock status\`.`, {
    cause: error,
  });
}
