/**
 * Asks one repository of one registry, as whoever it takes: what the registry wants to see (basic, bearer) is learnt
 * from its refusal, kept, and shown at once the next time.
 */
import type { IncomingMessage } from "node:http";
import type { RegistryCredentials } from "../../ports/index.js";
import { type Challenge, parseChallenges } from "./challenge.js";
import { type Line, retryAfterOf, send, wordsOf } from "./exchange.js";
import { isLoopback } from "./hosts.js";
import type { Identity } from "./identities.js";
import { maxTokens, maxWordsBytes } from "./limits.js";
import { basic, type Tokens } from "./tokens.js";
import { RegistryTrouble, refused, unreachable } from "./trouble.js";

/** Where the content is, and who asks for it. */
export interface Place {
  readonly host: string;
  readonly repository: string;
  readonly identities: readonly RegistryCredentials[];
  /** What else would explain a refusal. */
  readonly notes: readonly string[];
}

export interface Question {
  readonly method: "GET" | "HEAD";
  /** Behind `/v2/REPOSITORY/`. */
  readonly path: string;
  readonly accept?: string;
  /** The first byte that is wanted. */
  readonly from?: number;
  /** What is asked for, as users call it. */
  readonly reference: string;
}

/** What was learnt of registries, shared by all who ask. */
export interface Lore {
  readonly tokens: Tokens;
  readonly schemes: Map<string, "http" | "https">;
  readonly challenges: Map<string, readonly Challenge[]>;
}

/** The answer, of status 200 (or 206 for a part); everything else is thrown as RegistryTrouble. */
export async function askRegistry(
  place: Place,
  question: Question,
  lore: Lore,
  line: Line,
): Promise<IncomingMessage> {
  const refusals: RegistryTrouble[] = [];
  // The credentials' refusals come first: they say more than that nobody was let in.
  for (const identity of [...place.identities, undefined]) {
    const answer = await askAs(identity, place, question, lore, line).catch((error: unknown) => {
      if (error instanceof RegistryTrouble && error.more.isRefusal === true) return error;
      throw error;
    });
    if (!(answer instanceof RegistryTrouble)) return answer;
    refusals.push(answer);
  }
  const [first] = refusals;
  if (first === undefined) throw new RegistryTrouble(`${place.host} was not asked`);
  if (place.notes.length === 0) throw first;
  const help = [first.more.help, ...place.notes].filter((one) => one !== undefined).join("; ");
  throw new RegistryTrouble(first.words, { ...first.more, help });
}

async function askAs(
  identity: Identity,
  place: Place,
  question: Question,
  lore: Lore,
  line: Line,
): Promise<IncomingMessage> {
  const { host, repository } = place;
  const known = lore.challenges.get(host);
  const shown =
    known === undefined ? undefined : await authorization(identity, known, place, question, lore, line);
  const answer = await sendTo(place, question, shown, lore, line);
  if (isGiven(answer)) return answer;
  if (answer.statusCode !== 401) throw await refusal(answer, identity, place, question);

  // What it wants may have changed, and a token may have been called back.
  lore.tokens.forget(tokenKey(identity, host, repository));
  const challenges = parseChallenges(answer.headers["www-authenticate"] ?? "");
  if (lore.challenges.size >= maxTokens) lore.challenges.clear();
  lore.challenges.set(host, challenges);
  const wanted = await authorization(identity, challenges, place, question, lore, line);
  if (wanted === undefined || wanted === shown) throw await refusal(answer, identity, place, question);
  answer.destroy();
  const again = await sendTo(place, question, wanted, lore, line);
  if (isGiven(again)) return again;
  if (again.statusCode === 401) lore.tokens.forget(tokenKey(identity, host, repository));
  throw await refusal(again, identity, place, question);
}

function isGiven({ statusCode }: IncomingMessage): boolean {
  return statusCode === 200 || statusCode === 206;
}

/** undefined when there is nothing to show. */
async function authorization(
  identity: Identity,
  challenges: readonly Challenge[],
  { host, repository }: Place,
  { reference }: Question,
  lore: Lore,
  line: Line,
): Promise<string | undefined> {
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer !== undefined) {
    const key = tokenKey(identity, host, repository);
    const token =
      lore.tokens.known(key) ??
      (await lore.tokens.fetch(
        key,
        // What is known of a host may be about another repository: the scope is made for this one.
        {
          challenge: forRepository(bearer, repository),
          credentials: identity,
          registry: host,
          repository,
          reference,
        },
        line,
      ));
    return `Bearer ${token}`;
  }
  const takesBasic = challenges.some(({ scheme }) => scheme === "basic");
  return takesBasic && identity?.username !== undefined ? basic(identity) : undefined;
}

function forRepository({ scheme, parameters }: Challenge, repository: string): Challenge {
  const rest = [...parameters].filter(([name]) => name !== "scope");
  return { scheme, parameters: new Map([...rest, ["scope", `repository:${repository}:pull`]]) };
}

function tokenKey(identity: Identity, host: string, repository: string): string {
  return JSON.stringify([host, repository, identity ?? null]);
}

/** Over TLS, but where a host is said to have none. On this machine's loopback, where nobody listens in, it may say so itself. */
async function sendTo(
  { host, repository }: Place,
  { method, path, accept, from = 0 }: Question,
  authorization: string | undefined,
  lore: Lore,
  line: Line,
): Promise<IncomingMessage> {
  const headers = {
    ...(accept === undefined ? {} : { accept }),
    ...(from === 0 ? {} : { range: `bytes=${from}-` }),
    ...(authorization === undefined ? {} : { authorization }),
  };
  const over = (scheme: "http" | "https") =>
    send({ method, url: new URL(`${scheme}://${host}/v2/${repository}/${path}`), headers }, line);
  const known = lore.schemes.get(host) ?? (line.isPlain(host) && !isLoopback(host) ? "http" : "https");
  try {
    return await over(known);
  } catch (error) {
    const trouble = unreachable(error, host, known);
    if (trouble.more.isPlain !== true || !isLoopback(host)) throw trouble;
    if (lore.schemes.size >= maxTokens) lore.schemes.clear();
    lore.schemes.set(host, "http");
    return await over("http").catch((again: unknown) => {
      throw unreachable(again, host, "http");
    });
  }
}

async function refusal(
  answer: IncomingMessage,
  identity: Identity,
  { host, repository }: Place,
  { method, reference }: Question,
): Promise<RegistryTrouble> {
  const words = method === "HEAD" ? "" : await wordsOf(answer, maxWordsBytes);
  answer.destroy();
  return refused(answer.statusCode ?? 0, words, {
    host,
    repository,
    reference,
    hadCredentials: identity !== undefined,
    retryAfterMs: retryAfterOf(answer),
  });
}
