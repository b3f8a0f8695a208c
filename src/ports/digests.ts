// What an image's name means now, as a digest: asked once, when a Revision is made, of whoever has the image.
import type { RegistriesConfig } from "../domain/apis/config/index.js";
import type { RegistryCredentials } from "./images.js";

export interface DigestQuestion {
  readonly image: string;
  /** Who may read the image's repository, to be tried in this order, before what the machine itself knows. */
  readonly credentials: readonly RegistryCredentials[];
  readonly registries: RegistriesConfig;
  readonly timeoutMs: number;
}

export type DigestAnswer =
  /** `registry/repository@sha256:...`, whatever short name led to it. */
  | { readonly outcome: "resolved"; readonly digest: string }
  | {
      readonly outcome: "missing";
      /** Whoever was asked, in their own words, and what would help. */
      readonly because: string;
      /** The registry wants to know better who asks. */
      readonly wantsCredentials?: boolean;
      /** The registry does not have it, or there is none: who has a copy may well use that. */
      readonly isNowhere?: boolean;
      /** The registry's wish. */
      readonly retryAfterMs?: number;
    };

export interface ImageDigests {
  /** Never rejects: whatever goes wrong is an answer. */
  digestOf(question: DigestQuestion): Promise<DigestAnswer>;
}
