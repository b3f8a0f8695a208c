// Every bound of a talk with a registry, with its why.

/** A manifest; the distribution specification's own limit, which registries keep. */
export const maxManifestBytes = 4 * 1024 ** 2;

/** A token and what comes with it. */
export const maxTokenBytes = 1024 ** 2;

/** As much of a refusal as helps; a page of HTML in a status helps nobody. */
export const maxWordsBytes = 4_096;
export const maxWordsChars = 300;

/** Registries send clients to storage, and storage once more at most. */
export const maxRedirects = 5;

/** A head of headers; more is no registry. */
export const maxHeaderBytes = 64 * 1024;

/** Silence, when whoever asks has set no shorter time for the whole. */
export const idleMs = 30_000;

/** What a registry may ask us to wait; more than the longest pause between tries would never be asked again. */
export const maxRetryAfterMs = 1_000_000;

/** A token that does not say how long it lives lives a minute: the specification's default. */
export const tokenLifeSeconds = 60;

/** A token is renewed this much before its end, for clocks differ and requests take time. */
export const tokenSlackMs = 5_000;

/** Tokens kept: one for each repository and credentials. */
export const maxTokens = 1_000;

/** Credentials tried on one image; each is a request, and some registries lock out who fails often. */
export const maxCredentials = 8;

/** A credential helper may ask a keychain, and a keychain its user; it must not hold a Revision for ever. */
export const helperMs = 5_000;
export const maxHelperBytes = 64 * 1024;

/** How long a helper's answer is believed: what it tells may be a token with an end of its own. */
export const helperFreshMs = 60_000;

/** Docker's config.json holds a few registries, and some settings. */
export const maxConfigBytes = 1024 ** 2;

/** Kept sets of what is trusted: one, and one more for each registry with certificates of its own. */
export const maxHostTrusts = 32;

/** Files of certificates that SSL_CERT_DIR may name, and the size of each. */
export const maxCertificateFiles = 512;
export const maxCertificateBytes = 4 * 1024 ** 2;
