import type { Resource } from "../domain/apis/kind.js";

/** Tells users what happened to an object, as a core Event. Never rejects: a lost event is not a failure. */
export interface Recorder {
  event(object: Resource, type: "Normal" | "Warning", reason: string, message: string): void;
}

/** For us, not for users: one line per thing worth knowing, with fields. Secrets never go in. */
export interface Log {
  info(message: string, fields?: { readonly [key: string]: unknown }): void;
  error(message: string, fields?: { readonly [key: string]: unknown }): void;
}
