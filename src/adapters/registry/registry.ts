/**
 * Images in registries (OCI distribution, and Docker's before it): what a tag means, manifests and layers. Asked are
 * the registry's mirrors, then the registry; as the credentials that were given, those of this machine, and nobody.
 */
import type { IncomingMessage } from "node:http";
import type { LookupFunction } from "node:net";
import type { SecureContext } from "node:tls";
import type { RegistriesConfig } from "../../domain/apis/config/index.js";
import { type ImageParts, imageParts } from "../../domain/apis/serving/imageParts.js";
import type { DigestAnswer, ImageDigests, RegistryCredentials } from "../../ports/index.js";
import { askRegistry, type Lore, type Place, type Question } from "./client.js";
import { bodyOf, type Line, sha256 } from "./exchange.js";
import { type HostCertificates, hostCertificates } from "./hostCertificates.js";
import { isLoopback } from "./hosts.js";
import { identitiesFor } from "./identities.js";
import { maxCredentials, maxHostTrusts, maxManifestBytes } from "./limits.js";
import { type Env, machineOf, trusted } from "./machine.js";
import { proxyFor } from "./proxy.js";
import { tokenCache } from "./tokens.js";
import { outOfTime, RegistryTrouble, told, unreachable } from "./trouble.js";

export interface RegistryOptions {
  readonly version: string;
  readonly env: Env;
  readonly now?: () => number;
  readonly lookup?: LookupFunction;
}

/** How registries are reached, and as whom. */
export interface Access {
  readonly credentials: readonly RegistryCredentials[];
  readonly registries: RegistriesConfig;
  readonly signal: AbortSignal;
}

export interface Manifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly content: { readonly [field: string]: unknown };
}

export interface Registry extends ImageDigests {
  /** Who may read the image, the given ones first, then those this machine knows. */
  credentialsFor(
    image: string,
    given: readonly RegistryCredentials[],
  ): Promise<readonly RegistryCredentials[]>;
  manifest(parts: ImageParts, access: Access): Promise<Manifest>;
  /** Its bytes as they come, from one on (status 206) or from the first: who reads them checks the digest. */
  blob(parts: ImageParts, digest: string, from: number, access: Access): Promise<IncomingMessage>;
}

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const digestPattern = /^sha256:[0-9a-f]{64}$/;

export function openRegistry({ version, env, now = Date.now, lookup }: RegistryOptions): Registry {
  const lore: Lore = { tokens: tokenCache(now), schemes: new Map(), challenges: new Map() };
  const machine = machineOf(env, now);
  const trusts = new Map<string, Promise<SecureContext>>();

  /** Two hundred certificates take a while to read: once, until what is trusted changes. */
  function trust(more: string, own: HostCertificates): Promise<SecureContext> {
    const key = JSON.stringify([more, own]);
    const known = trusts.get(key);
    if (known !== undefined) return known;
    if (trusts.size >= maxHostTrusts) trusts.clear();
    const made = trusted(env, more, own);
    made.catch(() => trusts.delete(key));
    trusts.set(key, made);
    return made;
  }

  function lineOf({ registries, signal }: Access): Line {
    const { caCertificates, plainHttp, skipTlsVerify } = registries;
    return {
      // Upstream's own, which registries' owners know.
      userAgent: `knative/${version} (serving)`,
      secureContext: async (host) => trust(caCertificates, await hostCertificates(env, host)),
      proxyFor: (url) => proxyFor(url, env),
      isUnverified: (host) => skipTlsVerify.includes(host),
      isPlain: (host) => plainHttp.includes(host) || isLoopback(host),
      signal,
      ...(lookup === undefined ? {} : { lookup }),
    };
  }

  /** Each place in turn that may have it; the registry itself has the last word. */
  async function ask<T>(
    { registry, repository }: ImageParts,
    access: Access,
    run: (place: Place, line: Line) => Promise<T>,
  ): Promise<T> {
    const line = lineOf(access);
    for (const mirror of access.registries.mirrors[registry] ?? []) {
      try {
        return await run(await placeOf(mirror, repository, access), line);
      } catch (error) {
        if (access.signal.aborted || !(error instanceof RegistryTrouble)) throw error;
      }
    }
    return run(await placeOf(registry, repository, access), line);
  }

  async function placeOf(
    host: string,
    repository: string,
    { credentials }: Pick<Access, "credentials">,
  ): Promise<Place> {
    const logins = await machine.loginsFor(host, repository);
    const identities = [
      ...identitiesFor(host, repository, credentials),
      ...identitiesFor(host, repository, logins.credentials),
    ];
    return { host, repository, identities: identities.slice(0, maxCredentials), notes: logins.notes };
  }

  async function digestAt(place: Place, reference: string, line: Line): Promise<string> {
    const question = { path: `manifests/${reference}`, accept: manifestTypes, reference };
    const head = await askRegistry(place, { ...question, method: "HEAD" }, lore, line).catch(
      (error: unknown) => {
        // A refusal of HEAD has no words; but whoever asks for less is not asked twice.
        if (
          error instanceof RegistryTrouble &&
          error.more.isUnreachable !== true &&
          !/status code 429/.test(error.words)
        )
          return undefined;
        throw error;
      },
    );
    head?.destroy();
    const promised = head?.headers["docker-content-digest"];
    if (typeof promised === "string" && digestPattern.test(promised)) return promised;
    return (await manifestAt(place, question, line)).digest;
  }

  async function manifestAt(place: Place, question: Omit<Question, "method">, line: Line): Promise<Manifest> {
    const answer = await askRegistry(place, { ...question, method: "GET" }, lore, line);
    const body = await bodyOf(answer, maxManifestBytes).catch((error: unknown) => {
      throw unreachable(error, place.host, "https");
    });
    const digest = sha256(body);
    const { reference } = question;
    const promised = answer.headers["docker-content-digest"];
    for (const wanted of [promised, digestPattern.test(reference) ? reference : undefined]) {
      if (typeof wanted !== "string" || !wanted.startsWith("sha256:") || wanted === digest) continue;
      throw new RegistryTrouble(
        `manifest digest: ${JSON.stringify(digest)} does not match requested digest: ${JSON.stringify(wanted)}`,
        {
          help: `${place.host} sent something else than it promised; nothing of it is used`,
        },
      );
    }
    return { digest, ...parsedManifest(body, answer.headers["content-type"], place.host) };
  }

  return {
    async digestOf({ image, credentials, registries, timeoutMs }): Promise<DigestAnswer> {
      const parts = imageParts(image);
      if (parts.digest !== undefined) return { outcome: "resolved", digest: image };
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const digest = await ask(parts, { credentials, registries, signal }, (place, line) =>
          digestAt(place, parts.tag, line),
        );
        return { outcome: "resolved", digest: `${parts.registry}/${parts.repository}@${digest}` };
      } catch (error) {
        return missing(signal.aborted ? outOfTime(parts.registry, timeoutMs) : error, parts.registry);
      }
    },
    async credentialsFor(image, credentials) {
      const { registry, repository } = imageParts(image);
      return (await placeOf(registry, repository, { credentials })).identities;
    },
    async manifest(parts, access) {
      const reference = parts.digest ?? parts.tag;
      return ask(parts, access, (place, line) =>
        manifestAt(place, { path: `manifests/${reference}`, accept: manifestTypes, reference }, line),
      );
    },
    async blob(parts, digest, from, access) {
      return ask(parts, access, (place, line) =>
        askRegistry(place, { method: "GET", path: `blobs/${digest}`, reference: digest, from }, lore, line),
      );
    },
  };
}

function missing(error: unknown, host: string): DigestAnswer {
  const trouble = unreachable(error, host, "https");
  const { isMissing, isRefusal, isUnreachable, retryAfterMs } = trouble.more;
  return {
    outcome: "missing",
    because: told(trouble),
    ...(isRefusal === true ? { wantsCredentials: true } : {}),
    ...(isMissing === true || isUnreachable === true ? { isNowhere: true } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function parsedManifest(body: Buffer, contentType: string | undefined, host: string) {
  try {
    const content: unknown = JSON.parse(body.toString("utf8"));
    if (typeof content === "object" && content !== null && !Array.isArray(content)) {
      const own = (content as { readonly mediaType?: unknown }).mediaType;
      const mediaType = typeof own === "string" ? own : (contentType?.split(";")[0]?.trim() ?? "");
      return { content: content as Manifest["content"], mediaType };
    }
  } catch {
    // Told below.
  }
  throw new RegistryTrouble(`${host} answered with what is no manifest`, {
    help: "check the image's name: something else than a registry may answer there",
  });
}
