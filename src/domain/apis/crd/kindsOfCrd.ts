import type { Kind } from "../kind.js";
import type { CustomResourceDefinition } from "./crd.types.js";
/** One version of a custom kind, as a Kind the API can serve. */
export interface CustomKind extends Kind {
  /** The version objects are stored in. */
  readonly storage: boolean;
  /** Sent as a Warning header with every answer, when the version is deprecated. */
  readonly deprecationWarning: string | undefined;
}
/** A Kind per served version. */
export function kindsOfCrd(_crd: CustomResourceDefinition): readonly CustomKind[] {
  throw new Error("not written yet");
}
