// One API server over HTTP/1.1 with connections kept open: requests with answers, and streams of lines.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { createSecureContext } from "node:tls";
import { PortError, type PortErrorReason } from "../../ports/index.js";
import { limits } from "./limits.js";

export interface Credential {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface ServerAddress {
  readonly server: string;
  /** PEM of who signed the server's certificate; the system's own list when absent. */
  readonly ca?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  /** The name to ask for in the server's certificate, when it is not the address's. */
  readonly tlsServerName?: string | undefined;
  /** How many requests may be under way at a time, when that is fewer than usual; watches do not count. */
  readonly connections?: number | undefined;
  /** How to speak of who we are, in the logs over there. */
  readonly userAgent?: string | undefined;
}

export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

export interface Transport {
  /** The answer as a value; rejects with the API's refusal. */
  ask(ask: Ask): Promise<unknown>;
  /** The lines of an endless answer. */
  lines(path: string, signal: AbortSignal): AsyncIterable<string>;
  close(): void;
}

type Agent = HttpAgent | HttpsAgent;

/** A watch holds its connection for as long as it lives, so it must not take one of those that requests share. */
interface Agents {
  readonly requests: Agent;
  readonly watches: Agent;
  /** What the server gave a connection for the next one to resume; that spares both of them most of a handshake. */
  session?: Buffer;
}

export function makeTransport(address: ServerAddress, credential: () => Promise<Credential>): Transport {
  const base = new URL(address.server);
  const secure = base.protocol === "https:";
  const byCertificate = new Map<string, Agents>();

  function makeAgents({ cert, key }: Credential): Agents {
    const requests = { keepAlive: true, maxSockets: address.connections ?? limits.connections };
    const watches = { keepAlive: false };
    if (!secure) return { requests: new HttpAgent(requests), watches: new HttpAgent(watches) };
    const common = {
      // Certificates are read once, not for each connection.
      secureContext: createSecureContext({
        ...(address.ca === undefined ? {} : { ca: address.ca }),
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
        minVersion: "TLSv1.2",
      }),
      ...(address.tlsServerName === undefined ? {} : { servername: address.tlsServerName }),
      rejectUnauthorized: address.insecureSkipTlsVerify !== true,
    };
    return {
      requests: new HttpsAgent({ ...common, ...requests }),
      watches: new HttpsAgent({ ...common, ...watches }),
    };
  }

  function agentsOf(credential: Credential): Agents {
    const id = credential.cert ?? "";
    const known = byCertificate.get(id);
    if (known !== undefined) return known;
    // Watches that are open go on; new ones show who we are now.
    for (const { requests } of byCertificate.values()) requests.destroy();
    byCertificate.clear();
    const made = makeAgents(credential);
    byCertificate.set(id, made);
    return made;
  }

  async function open(
    ask: Ask,
    signal: AbortSignal | undefined,
    streaming: boolean,
  ): Promise<IncomingMessage> {
    const who = await credential();
    const agents = agentsOf(who);
    const body = ask.body === undefined ? undefined : Buffer.from(JSON.stringify(ask.body));
    return new Promise((resolve, reject) => {
      const send = secure ? httpsRequest : httpRequest;
      const request = send({
        host: base.hostname.replace(/^\[|\]$/g, ""),
        port: base.port || (secure ? 443 : 80),
        method: ask.method,
        path: base.pathname.replace(/\/$/, "") + ask.path,
        agent: streaming ? agents.watches : agents.requests,
        ...(agents.session === undefined ? {} : { session: agents.session }),
        ...(signal === undefined ? {} : { signal }),
        headers: {
          Accept: "application/json",
          "User-Agent": address.userAgent ?? "drydock",
          ...(who.token === undefined ? {} : { Authorization: `Bearer ${who.token}` }),
          ...(body === undefined
            ? {}
            : { "Content-Type": ask.contentType ?? "application/json", "Content-Length": body.length }),
        },
      });
      request.setTimeout(limits.answerMs, () => {
        // A quiet watch is a watch where nothing happens; the server's own timeout ends it.
        if (!streaming)
          request.destroy(
            new PortError("Timeout", `no answer from ${base.host} within ${limits.answerMs / 1000}s`),
          );
      });
      request.on("socket", (socket) => {
        if (request.reusedSocket) return;
        socket.on("session", (session: Buffer) => {
          agents.session = session;
        });
      });
      request.on("response", resolve);
      request.on("error", (error) => reject(unreachable(base, error)));
      request.end(body);
    });
  }

  return {
    async ask(ask) {
      const response = await open(ask, undefined, false);
      const text = await textOf(response, base);
      const code = response.statusCode ?? 0;
      if (code < 200 || code >= 300) throw refusalOf(code, text);
      try {
        return text === "" ? undefined : JSON.parse(text);
      } catch (error) {
        throw new PortError("Unknown", `${base.host} answered something that is not JSON`, { cause: error });
      }
    },

    async *lines(path, signal) {
      if (signal.aborted) return;
      const response = await open({ method: "GET", path }, signal, true).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (response === undefined) return;
      const code = response.statusCode ?? 0;
      if (code !== 200) throw refusalOf(code, await textOf(response, base));
      let parts: string[] = [];
      let held = 0;
      response.setEncoding("utf8");
      try {
        for await (const chunk of response as AsyncIterable<string>) {
          let from = 0;
          for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", from)) {
            parts.push(chunk.slice(from, end));
            from = end + 1;
            const line = parts.join("");
            parts = [];
            held = 0;
            if (line !== "") yield line;
          }
          if (from < chunk.length) {
            parts.push(chunk.slice(from));
            held += chunk.length - from;
          }
          if (held > limits.lineBytes)
            throw new PortError("Unknown", `${base.host} sent an event that never ends`);
        }
      } catch (error) {
        if (signal.aborted) return;
        throw error instanceof PortError ? error : unreachable(base, error);
      } finally {
        response.destroy();
      }
    },

    close() {
      for (const { requests } of byCertificate.values()) requests.destroy();
      byCertificate.clear();
    },
  };
}

async function textOf(response: IncomingMessage, base: URL): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > limits.answerBytes)
        throw new PortError("Unknown", `${base.host} answered more than can be held`);
    }
  } catch (error) {
    throw error instanceof PortError ? error : unreachable(base, error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function unreachable(base: URL, error: unknown): PortError {
  if (error instanceof PortError) return error;
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return new PortError(
    "ServiceUnavailable",
    `cannot reach the API at ${base.host}: ${code ?? ""} ${message ?? error}`.replace(/ +/g, " "),
    {
      cause: error,
    },
  );
}

const byCode: { readonly [code: number]: PortErrorReason } = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};
const known = new Set<string>([...Object.values(byCode), "AlreadyExists", "ServerTimeout"]);

/** A refusal in the words it came in. */
export function refusalOf(code: number, text: string): PortError {
  let status: { readonly kind?: string; readonly reason?: string; readonly message?: string } | undefined;
  try {
    status = JSON.parse(text) as typeof status;
  } catch {
    // Proxies answer in prose.
  }
  if (status?.kind !== "Status") {
    return new PortError(byCode[code] ?? "Unknown", text.trim().slice(0, 500) || `HTTP ${code}`);
  }
  // Both names are in use for one thing: upstream says Gone for some, Expired for others.
  const given = status.reason === "Gone" ? "Expired" : status.reason;
  const reason =
    given !== undefined && known.has(given) ? (given as PortErrorReason) : (byCode[code] ?? "Unknown");
  return new PortError(reason, status.message ?? `HTTP ${code}`, { status });
}
