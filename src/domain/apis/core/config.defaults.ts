import { base64OfText } from "./base64.js";
import type { Secret } from "./config.types.js";

/** stringData is for writing only: it is folded into data, where it wins. */
export function defaultSecret(secret: Secret): Secret {
  const { stringData, ...rest } = secret;
  if (stringData === undefined) return secret;
  const folded = Object.entries(stringData).map(([key, text]) => [key, base64OfText(text)] as const);
  return { ...rest, data: { ...secret.data, ...Object.fromEntries(folded) } };
}
