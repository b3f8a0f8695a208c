// Reading the API's answers: what is the user's misfortune, what is the world's, what needs no word at all.
import { isPortError } from "../../ports/index.js";
import { refusedAgainFirstMs, refusedAgainMaxMs } from "./limits.js";
import { msOf } from "./pods.js";

/** The namespace is on its way out; everything in it is too, so there is nothing to tell. */
export function isNamespaceLeaving(error: unknown): boolean {
  if (!isPortError(error, "Forbidden")) return false;
  const status = error.status as
    | { readonly details?: { readonly causes?: readonly { readonly reason?: string }[] } }
    | undefined;
  return status?.details?.causes?.some((cause) => cause.reason === "NamespaceTerminating") ?? false;
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A quota that is raised sends us no event, so ask again: soon at first, then less and less often. */
export function refusedAgainMs(since: string | undefined, nowMs: number): number {
  const standsMs = nowMs - (msOf(since) ?? nowMs);
  return Math.min(Math.max(standsMs, refusedAgainFirstMs), refusedAgainMaxMs);
}
