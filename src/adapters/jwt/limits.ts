/** As Istio waits for keys; requests with tokens wait with us. */
export const fetchWithinMs = 5_000;

/** A key set is a few kilobytes; what is longer is not one. */
export const documentBytes = 1024 * 1024;

/** Keys are asked for anew this often, as Istio does; until the answer comes the old ones stand. */
export const keysFreshMs = 20 * 60_000;

/** An unknown key may be a new one. It may also be made up, so the issuer is not asked more often than this. */
export const askAgainMs = 5_000;

/** Key sets remembered; more issuers than this on one machine are a mistake. */
export const keySetsKept = 256;

/** Tokens remembered, and the longest that is: together at most 16 MiB. */
export const tokensKept = 4_096;
export const tokenBytes = 4_096;

/** A token longer than this cannot come in a header that the gateway takes. */
export const longestTokenBytes = 16 * 1024;

/** However long a token holds, it is verified again after this: its key may have been withdrawn. */
export const trustedMs = 5 * 60_000;
