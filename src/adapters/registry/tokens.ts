/**
 * Bearer tokens: a registry names a server that gives them, for a service and a scope, to whoever shows credentials.
 * Each is kept until shortly before its end.
 */
import type { RegistryCredentials } from "../../ports/index.js";
import type { Challenge } from "./challenge.js";
import { bodyOf, type Line, retryAfterOf, send, wordsOf } from "./exchange.js";
import { maxTokenBytes, maxTokens, maxWordsBytes, tokenLifeSeconds, tokenSlackMs } from "./limits.js";
import { oneLine, RegistryTrouble, refused, unreachable } from "./trouble.js";

export interface Tokens {
  known(key: string): string | undefined;
  fetch(key: string, from: TokenQuestion, line: Line): Promise<string>;
  forget(key: string): void;
}

export interface TokenQuestion {
  readonly challenge: Challenge;
  readonly credentials: RegistryCredentials | undefined;
  readonly registry: string;
  readonly repository: string;
  readonly reference: string;
}

export function tokenCache(now: () => number): Tokens {
  const kept = new Map<string, { readonly token: string; readonly untilMs: number }>();

  return {
    known(key) {
      const found = kept.get(key);
      if (found === undefined || found.untilMs > now()) return found?.token;
      kept.delete(key);
      return undefined;
    },
    async fetch(key, question, line) {
      const { token, lifeMs } = await ask(question, line);
      if (kept.size >= maxTokens) kept.delete(kept.keys().next().value ?? "");
      kept.set(key, { token, untilMs: now() + lifeMs - tokenSlackMs });
      return token;
    },
    forget: (key) => {
      kept.delete(key);
    },
  };
}

async function ask(question: TokenQuestion, line: Line) {
  const { challenge, credentials, registry, repository } = question;
  const realm = challenge.parameters.get("realm") ?? "";
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new RegistryTrouble(
      `${registry} names no server for its tokens: realm ${JSON.stringify(oneLine(realm))}`,
    );
  }
  if (url.protocol === "http:" && credentials !== undefined && !line.isPlain(url.host)) {
    throw new RegistryTrouble(`${registry} has its tokens from ${url.host}, which has no TLS`, {
      help: `no credentials are sent there unless ${url.host} is in plain-http of config-registries`,
    });
  }
  const service = challenge.parameters.get("service");
  const scope = challenge.parameters.get("scope") ?? `repository:${repository}:pull`;
  const fields = new URLSearchParams(service === undefined ? { scope } : { service, scope });
  try {
    return await readToken(await sendQuestion(url, fields, credentials, line), question, url);
  } catch (error) {
    throw unreachable(error, url.host, url.protocol.slice(0, -1));
  }
}

/** A token for a token is asked by POST (OAuth2); for a name and a password, or nobody, by GET. */
function sendQuestion(
  url: URL,
  fields: URLSearchParams,
  credentials: RegistryCredentials | undefined,
  line: Line,
) {
  if (credentials?.identityToken !== undefined) {
    fields.set("grant_type", "refresh_token");
    fields.set("client_id", "drydock");
    fields.set("refresh_token", credentials.identityToken);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return send({ method: "POST", url, headers, body: fields.toString() }, line);
  }
  const at = new URL(url);
  for (const [name, value] of fields) at.searchParams.append(name, value);
  const headers: Record<string, string> = {};
  if (credentials !== undefined) headers["authorization"] = basic(credentials);
  return send({ method: "GET", url: at, headers }, line);
}

async function readToken(
  answer: Awaited<ReturnType<typeof send>>,
  { credentials, registry, repository, reference }: TokenQuestion,
  url: URL,
) {
  const status = answer.statusCode ?? 0;
  if (status !== 200) {
    const words = await wordsOf(answer, maxWordsBytes);
    const hadCredentials = credentials !== undefined;
    const retryAfterMs = retryAfterOf(answer);
    throw refused(status, words, { host: registry, repository, reference, hadCredentials, retryAfterMs });
  }
  const text = (await bodyOf(answer, maxTokenBytes)).toString("utf8");
  const given = parsed(text);
  const token = given["token"] ?? given["access_token"];
  if (typeof token !== "string" || token === "" || /[^\x21-\x7e]/.test(token)) {
    throw new RegistryTrouble(`${url.host} answered without a token`);
  }
  const seconds = Number(given["expires_in"]);
  return { token, lifeMs: (seconds > 0 ? Math.min(seconds, 86_400) : tokenLifeSeconds) * 1000 };
}

function parsed(text: string): { readonly [field: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as { readonly [field: string]: unknown })
      : {};
  } catch {
    return {};
  }
}

export function basic({ username = "", password = "" }: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
