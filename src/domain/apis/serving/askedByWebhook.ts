// For members that the schema leaves open because a webhook asks for them in words of its own: the type still trusts them.
import { type Schema, str } from "../schema/index.js";

/** The members are all there, once the webhook has been content. */
export function requiredByWebhook<S extends Schema>({ required: _required, ...schema }: S): S {
  return schema as S;
}

/** One of the words, once the webhook has been content. */
export function wordForWebhook<const V extends string>(_words: readonly V[]): Schema<V> {
  return str() as Schema as Schema<V>;
}
