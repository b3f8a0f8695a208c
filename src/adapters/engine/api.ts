/**
 * The Docker Engine API as far as pods need it: calls, streams, and connections that both sides write to. Paths have
 * no version, so that every engine answers with the newest one it speaks.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";
import type Modem from "docker-modem";
import { PortError, type PortErrorReason } from "../../ports/index.js";
import { callWithinMs } from "./limits.js";

export interface EngineAddress {
  /** unix://, tcp://, ssh:// or npipe://, as DOCKER_HOST has it. */
  readonly url: string;
  /** How it was found, in words for the user. */
  readonly from: string;
  readonly tls?: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
  };
}

export interface CallOptions {
  readonly query?: { readonly [name: string]: string | number | boolean };
  readonly body?: object;
  /** Sent as it is, as a tar archive. */
  readonly archive?: Buffer;
  /** The header's value, base64 of JSON. */
  readonly registryAuth?: string;
  readonly signal?: AbortSignal;
  /** 0 waits as long as it takes. */
  readonly withinMs?: number;
}

/** Every call rejects with a PortError in the engine's words; ServiceUnavailable says that the engine is not there. */
export interface EngineApi {
  call<T>(method: string, path: string, options?: CallOptions): Promise<T>;
  stream(method: string, path: string, options?: CallOptions): Promise<Readable>;
  /** A connection of its own: what is written goes in, what comes out is read. */
  connect(path: string, options?: CallOptions & { readonly writes?: boolean }): Promise<Duplex>;
}

/** Loaded when an engine is in use, never before: it brings a secure-shell client along. */
export async function engineApi(address: EngineAddress): Promise<EngineApi> {
  const { default: Client } = await import("docker-modem");
  const modem = new Client(clientOptions(address));
  const awayFrom = (cause: Error) =>
    new PortError(
      "ServiceUnavailable",
      `the container engine at ${address.url} does not answer: ${cause.message || String((cause as NodeJS.ErrnoException).code)}`,
      { cause },
    );

  function dial(
    method: string,
    path: string,
    { query = {}, body = {}, archive, registryAuth, signal, withinMs = callWithinMs }: CallOptions,
    more: Partial<Modem.DialOptions>,
  ): Promise<unknown> {
    const signals = [
      ...(signal === undefined ? [] : [signal]),
      ...(withinMs > 0 ? [AbortSignal.timeout(withinMs)] : []),
    ];
    return new Promise((resolve, reject) => {
      modem.dial(
        {
          path: `${path}?`,
          method,
          statusCodes: answers,
          // An empty query must still be there, or the client takes the body for one.
          options: { _query: query, _body: body },
          ...(archive !== undefined && { file: archive }),
          ...(registryAuth !== undefined && { authconfig: { base64: registryAuth } }),
          ...(signals.length > 0 && { abortSignal: AbortSignal.any(signals) }),
          ...more,
        },
        (error, result) => (error === null ? resolve(result) : reject(portError(error, awayFrom))),
      );
    });
  }

  return {
    call: async <T>(method: string, path: string, options: CallOptions = {}) =>
      (await dial(method, path, options, {})) as T,
    stream: async (method, path, options = {}) =>
      (await dial(method, path, { withinMs: 0, ...options }, { isStream: true })) as IncomingMessage,
    connect: async (path, { writes = false, ...options } = {}) =>
      (await dial(
        "POST",
        path,
        { withinMs: 0, ...options },
        { isStream: true, hijack: true, openStdin: writes, allowEmpty: true },
      )) as Duplex,
  };
}

/** 304: what was asked for is so already. */
const answers = { 101: true, 200: true, 201: true, 202: true, 204: true, 304: true };

function clientOptions({ url, tls }: EngineAddress): Modem.ConstructorOptions {
  // Named in full, or the client would look into the environment for what is left out.
  const none = { host: undefined, port: undefined, socketPath: undefined };
  const local = /^(unix|npipe):\/\/(.*)$/.exec(url);
  if (local !== null) return { ...none, protocol: "http", socketPath: local[2] };
  const { protocol, hostname, port, username } = new URL(url);
  if (protocol === "ssh:") {
    return { ...none, protocol: "ssh", host: hostname, port: port || 22, username, sshOptions: agent() };
  }
  const isTls = tls?.ca !== undefined || protocol === "https:";
  return {
    ...none,
    protocol: isTls ? "https" : "http",
    host: hostname,
    port: port || (isTls ? 2376 : 2375),
    ...(isTls && { ca: tls?.ca, cert: tls?.cert, key: tls?.key }),
  };
}

function agent() {
  const socket = process.env["SSH_AUTH_SOCK"];
  return socket === undefined ? {} : { agent: socket };
}

const reasons: { readonly [status: number]: PortErrorReason } = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
};

function portError(error: Error & { statusCode?: number }, awayFrom: (cause: Error) => PortError): PortError {
  const { statusCode } = error;
  if (statusCode === undefined) return awayFrom(error);
  const said = error.message.replace(/^\(HTTP code \d+\) unexpected - /, "").trim();
  return new PortError(reasons[statusCode] ?? "Unknown", said, { cause: error });
}
