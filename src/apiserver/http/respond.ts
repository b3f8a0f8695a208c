// Answers: JSON or YAML, packed when large, with the headers clients look for.
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { limits } from "../limits.js";
import { type Status, statusOf } from "../status.js";
import type { Accepted } from "./accept.js";
import type { Call } from "./call.js";
import { isTrue } from "./path.js";

const pack = promisify(gzip);

/** `json` is the text of the answer, or a value to be made text. */
export async function answer(
  call: Call,
  code: number,
  body: string | object,
  accepted?: Accepted,
): Promise<void> {
  if (accepted?.format === "yaml") {
    const { stringify } = await import("yaml");
    const value: unknown = typeof body === "string" ? JSON.parse(body) : body;
    return send(
      call,
      code,
      "application/yaml",
      stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 }),
    );
  }
  let text = typeof body === "string" ? body : JSON.stringify(body);
  if (wantsIndent(call)) text = JSON.stringify(JSON.parse(text), undefined, 2);
  return send(call, code, "application/json", `${text}\n`);
}

export async function send(
  call: Pick<Call, "request" | "response" | "warnings">,
  code: number,
  contentType: string,
  text: string,
  headers: { readonly [name: string]: string } = {},
): Promise<void> {
  const { request, response, warnings } = call;
  if (response.headersSent || response.destroyed) return;
  const length = Buffer.byteLength(text);
  const large =
    length > limits.gzipBytes && /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  // Text goes out in one piece with the head; bytes would be a piece of their own.
  const body = large ? await pack(text, { level: 1 }) : text;
  response.writeHead(code, {
    "Content-Type": contentType,
    "Content-Length": typeof body === "string" ? length : body.length,
    "Cache-Control": "no-cache, private",
    ...(large ? { "Content-Encoding": "gzip", Vary: "Accept-Encoding" } : {}),
    ...warningHeaders(warnings),
    ...headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** As many as clients can take: their parsers refuse an answer whose head is too long, whatever it says. */
export function warningHeaders(warnings: readonly string[]): { readonly Warning?: string[] } {
  if (warnings.length === 0) return {};
  const whole = warnings.map((text) => warningOf(text));
  const isShort = whole.reduce((sum, one) => sum + one.length, 0) <= limits.warningsBytes;
  const all = isShort ? whole : warnings.map((text) => warningOf(text.slice(0, limits.warningChars)));
  let bytes = 0;
  const fitting = all.findIndex((one) => {
    bytes += one.length;
    return bytes > limits.warningsBytes;
  });
  return { Warning: fitting < 0 ? all : all.slice(0, fitting) };
}

function warningOf(text: string): string {
  return `299 - "${text.replace(/[\\"]/g, "\\$&").replace(/[^\x20-\x7e]/g, "?")}"`;
}

export async function answerError(call: Call, error: unknown): Promise<void> {
  const status: Status = statusOf(error);
  if (status.code === 500) {
    call.house.log.error("a request failed", {
      method: call.request.method,
      path: call.path,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
  if (call.response.headersSent) {
    call.response.destroy();
    return;
  }
  const retry = status.details?.retryAfterSeconds;
  if (retry !== undefined) call.response.setHeader("Retry-After", String(retry));
  // What is left of a refused body is not worth reading; the connection ends with the answer.
  if (!call.request.complete) call.response.setHeader("Connection", "close");
  await answer(call, status.code ?? 500, status);
}

function wantsIndent({ query, request }: Call): boolean {
  const pretty = query.get("pretty");
  if (pretty !== null) return isTrue(pretty);
  return /^(curl|Wget)\//.test(request.headers["user-agent"] ?? "");
}
