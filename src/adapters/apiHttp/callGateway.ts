// One request to a model through the gateway, with the time it took.
import { request as httpRequest } from "node:http";
import { PortError } from "../../ports/index.js";

export interface CallOptions {
  /** Where the gateway listens. */
  readonly gateway: string;
  /** Which route is meant: names below `localhost` need no resolver this way. */
  readonly host: string;
  readonly path: string;
  readonly body: string;
  readonly signal: AbortSignal;
}

export interface Called {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly totalMs: number;
  /** Until the first byte of the answer. */
  readonly firstByteMs: number;
}

export function callGateway({ gateway, host, path, body, signal }: CallOptions): Promise<Called> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const headers = {
      host,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "x-drydock-timing": "1",
    };
    const { hostname, port } = new URL(gateway);
    const options = { hostname, port, path, method: "POST", headers, signal };
    const request = httpRequest(options, (response) => {
      const firstByteMs = performance.now() - startMs;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => reject(broken(gateway, error)));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          ),
          body: Buffer.concat(chunks).toString("utf8"),
          totalMs: performance.now() - startMs,
          firstByteMs,
        }),
      );
    });
    request.on("error", (error) => reject(broken(gateway, error)));
    request.end(body);
  });
}

function broken(gateway: string, error: Error): PortError {
  if (error.name === "AbortError") return new PortError("Timeout", "interrupted", { cause: error });
  const why =
    (error as NodeJS.ErrnoException).code === "ECONNREFUSED"
      ? `nothing listens at ${gateway}`
      : `${gateway}: ${error.message}`;
  return new PortError("ServiceUnavailable", `cannot reach the gateway: ${why}. See \`drydock status\`.`, {
    cause: error,
  });
}
