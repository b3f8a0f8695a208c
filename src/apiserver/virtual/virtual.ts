// Resources that are answered rather than stored: reviews, and what pods use.
import type { Call } from "../http/call.js";
import type { ResourcePath } from "../http/path.js";

export interface Virtual {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly answer: (call: Call, path: ResourcePath) => Promise<void>;
}
