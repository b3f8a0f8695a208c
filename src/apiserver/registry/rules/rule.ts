// What the server itself does for certain kinds, where a kind's own hooks cannot: it takes knowledge of other objects.
import type { AdmissionContext, Resource } from "../../../domain/apis/kind.js";
import type { State } from "../state.js";

export interface Rule {
  /** The last look at an object about to be stored; may refuse by throwing. */
  readonly admit?: (object: Resource, context: AdmissionContext<Resource>, state: State) => Resource;
  /** May refuse a deletion by throwing. */
  readonly mayDelete?: (object: Resource, state: State) => void;
  /** How the object looks once its deletion has begun. */
  readonly deleting?: (object: Resource, state: State) => Resource;
  /** What holds a deletion back besides finalizers and grace. */
  readonly held?: (object: Resource) => boolean;
}
