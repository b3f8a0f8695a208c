/**
 * What went wrong between us and a registry: the words of whoever said it, and what would help. Users read both in a
 * Revision's status, so each cause has its own.
 */
import { maxWordsChars } from "./limits.js";

export class RegistryTrouble extends Error {
  override readonly name = "RegistryTrouble";

  constructor(
    /** The literal words, of the registry or of the machine. */
    readonly words: string,
    readonly more: {
      readonly help?: string;
      /** Nobody answered here: another address may. */
      readonly isUnreachable?: boolean;
      /** It answered without TLS where TLS was expected. */
      readonly isPlain?: boolean;
      readonly isRefusal?: boolean;
      readonly isMissing?: boolean;
      readonly retryAfterMs?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(words, more.cause === undefined ? undefined : { cause: more.cause });
  }
}

/** The whole sentence. */
export function told({ words, more }: RegistryTrouble): string {
  return more.help === undefined ? words : `${words} (${more.help})`;
}

/** One line, without what would confuse a terminal, and not too long. */
export function oneLine(text: string): string {
  const line = text
    .replace(/[\x00-\x1f\x7f]+/g, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  return line.length > maxWordsChars ? `${line.slice(0, maxWordsChars)}...` : line;
}

/** An answer that is not what was asked for. `place` is where it came from. */
export function refused(
  status: number,
  body: string,
  place: {
    readonly host: string;
    readonly repository: string;
    readonly reference: string;
    readonly hadCredentials: boolean;
    readonly retryAfterMs: number | undefined;
  },
): RegistryTrouble {
  // Upstream's shape since its first days: users grep for it.
  const words = `failed to fetch image information: unsupported status code ${status}; body: ${oneLine(body) || "(empty)"}`;
  const { host, repository, reference } = place;
  switch (status) {
    case 401:
    case 403:
      return new RegistryTrouble(words, { help: helpWithCredentials(body, place), isRefusal: true });
    case 404: {
      const help = /NAME_UNKNOWN|repository name not known/i.test(body)
        ? `${host} has no repository ${repository}`
        : `${host}/${repository} has no ${reference}: correct the tag, or push it`;
      return new RegistryTrouble(words, { help, isMissing: true });
    }
    case 429: {
      const { retryAfterMs } = place;
      const when =
        retryAfterMs === undefined ? "later" : `in ${Math.ceil(retryAfterMs / 1000)} s, as it asks`;
      const help = `${host} limits how often it is asked; it is asked again ${when}. ${place.hadCredentials ? "A mirror in config-registries helps" : "An account usually has a higher limit: add an imagePullSecret, or a mirror in config-registries"}`;
      return new RegistryTrouble(words, { help, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    }
    default:
      return new RegistryTrouble(
        words,
        status >= 500
          ? { help: `${host} is in trouble itself; it is asked again by itself`, isUnreachable: true }
          : { help: `${host} does not answer as a registry does: check the image's name` },
      );
  }
}

const skipping = "or name the registry in registries-skipping-tag-resolving of config-deployment";

function helpWithCredentials(
  body: string,
  { host, hadCredentials }: { readonly host: string; readonly hadCredentials: boolean },
): string {
  const renewal = cloudLogin(host);
  if (/expired/i.test(body)) {
    return `the credentials for ${host} have expired: ${renewal ?? "renew them in the imagePullSecret"}, ${skipping}`;
  }
  if (!hadCredentials) {
    return `no credentials for ${host}: ${renewal === undefined ? "" : `${renewal}; `}add an imagePullSecret to the Service or to its service account, ${skipping}`;
  }
  return `${host} does not accept the credentials it was given: ${renewal ?? "correct the imagePullSecret"}, ${skipping}`;
}

/** How one gets a token where tokens live only hours. */
function cloudLogin(place: string): string | undefined {
  const host = place.replace(/:\d+$/, "");
  if (/\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$|^public\.ecr\.aws$/.test(host)) {
    return "tokens of ECR live 12 hours: renew the imagePullSecret with `aws ecr get-login-password`, or set credHelpers to ecr-login in ~/.docker/config.json";
  }
  if (/(^|\.)gcr\.io$|-docker\.pkg\.dev$/.test(host)) {
    return "tokens of Google's registries live one hour: use a service account's key as the imagePullSecret, or run `gcloud auth configure-docker`";
  }
  if (/\.azurecr\.(io|cn|us)$/.test(host)) {
    return "tokens of ACR live three hours: use a service principal or a repository token as the imagePullSecret, or run `az acr login`";
  }
  return undefined;
}

const unknownAuthority = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** No answer at all. */
export function unreachable(error: unknown, host: string, scheme: string): RegistryTrouble {
  if (error instanceof RegistryTrouble) return error;
  const { code = "", message = "" } = (error ?? {}) as NodeJS.ErrnoException;
  // Several addresses were tried: the first one's words say it all.
  const [first] = (error as AggregateError | undefined)?.errors ?? [];
  const said = oneLine(message || (first as Error | undefined)?.message || code || String(error));
  const at = `failed to fetch image information: ${scheme}://${host}/v2/:`;
  const trouble = (words: string, help: string, more: { readonly isPlain?: boolean } = {}) =>
    new RegistryTrouble(`${at} ${words}`, { help, isUnreachable: true, cause: error, ...more });
  if (unknownAuthority.has(code)) {
    return trouble(
      `x509: certificate signed by unknown authority (${said})`,
      `put the authority's certificate into ca-certificates of config-registries, or ${host} into skip-tls-verify`,
    );
  }
  const refused = /^ERR_SSL_[\w/]*ALERT_(BAD_CERTIFICATE|\w*CERTIFICATE\w*|UNKNOWN_CA)$/.exec(code)?.[1];
  if (refused !== undefined) {
    return trouble(
      `remote error: tls: ${refused.toLowerCase().replaceAll("_", " ")}`,
      `it wants to see a certificate that it knows: put one as client.cert and client.key into /etc/docker/certs.d/${host} or ~/.config/containers/certs.d/${host}`,
    );
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return trouble(`x509: ${said}`, `the certificate is for another host: use the name it is for`);
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return trouble(
      `x509: ${said}`,
      `the registry's certificate must be renewed, or this machine's clock set`,
    );
  }
  if (
    /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|EPROTO|ERR_SSL_HTTP_REQUEST)$/.test(code)
  ) {
    return trouble(
      "http: server gave HTTP response to HTTPS client",
      `if ${host} has no TLS, put it into plain-http of config-registries`,
      { isPlain: true },
    );
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    const help =
      code === "ENOTFOUND"
        ? `no such host: check the image's name, ${skipping}`
        : "names cannot be resolved now: check this machine's network";
    return trouble(said, help);
  }
  if (code === "ECONNREFUSED") return trouble(said, `nothing listens at ${host}: is the registry running?`);
  return trouble(said, `check that this machine can reach ${host}`);
}

export function outOfTime(host: string, ms: number): RegistryTrouble {
  return new RegistryTrouble(`failed to fetch image information: ${host}: context deadline exceeded`, {
    help: `no answer within ${ms / 1000} s: check the network, or raise digest-resolution-timeout in config-deployment`,
    isUnreachable: true,
  });
}
