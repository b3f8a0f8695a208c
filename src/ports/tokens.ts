import type { JsonObject } from "../domain/apis/schema/index.js";

/** Whose tokens are accepted, and how they are checked. */
export interface TokenRule {
  readonly issuer: string;
  /** One of them must be meant; none given takes any. */
  readonly audiences: readonly string[];
  /** The keys themselves, as a JSON Web Key Set; goes before `jwksUri`. */
  readonly jwks: string | undefined;
  /** Where they are published; neither given, the issuer's discovery document says where. */
  readonly jwksUri: string | undefined;
  /** Plain http may be asked beyond this machine. */
  readonly insecure: boolean;
}

export type Verified =
  | { readonly outcome: "verified"; readonly claims: JsonObject; readonly rule: TokenRule }
  /** 401, or 403 for a good token that is meant for somebody else; in Envoy's words. */
  | { readonly outcome: "refused"; readonly status: 401 | 403; readonly because: string };

export interface TokenVerifier {
  /** What is known of the token without work; the common case of a token seen before. */
  known(token: string, rules: readonly TokenRule[]): Verified | undefined;
  verify(token: string, rules: readonly TokenRule[]): Promise<Verified>;
}
