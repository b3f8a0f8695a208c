import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { Event } from "./event.types.js";

/** An event lives beside what it is about; what has no namespace has its events in default. */
export function validateEvent(event: Event): readonly FieldError[] {
  const about = event.involvedObject.namespace ?? "";
  const here = event.metadata.namespace ?? "";
  if (about === "" ? here === "default" || here === "" : about === here) return [];
  return [fieldErrors.invalid("involvedObject.namespace", about, "does not match event.namespace")];
}
