import type { Kind, Resource } from "../../kind.js";

/** A kind of v1 under its v1alpha1 shape: the same names, and none of the hooks, which know v1's shape only. */
export function viewKind<T extends Resource, V1 extends Resource>(
  of: Kind<V1>,
  shape: Pick<Kind<T>, "schema" | "columns" | "defaults" | "validate">,
): Kind<T> {
  const { defaults: _defaults, validate: _validate, webhook: _webhook, ...named } = of;
  return { ...(named as unknown as Kind<T>), version: "v1alpha1", ...shape };
}
