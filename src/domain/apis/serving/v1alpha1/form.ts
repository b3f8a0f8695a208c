/**
 * How v1alpha1 wrote an object, where v1 has one way to say it: kept in one annotation on the stored object,
 * which the v1alpha1 view does not show. Without it the oldest form that fits is shown.
 */
import type { Resource } from "../../kind.js";
import type { ObjectMeta } from "../../meta/meta.types.js";

export const formAnnotation = "drydock.dev/v1alpha1-form";

export interface Form {
  /** A Service's spec is neither of the named forms that its traffic would fit. */
  readonly as?: "inline" | "manual" | undefined;
  /** `template`, not `revisionTemplate`. */
  readonly template?: true | undefined;
  /** A list of containers, though there is one. */
  readonly containers?: true | undefined;
  /** `concurrencyModel` in place of the containerConcurrency it stands for. */
  readonly model?: "Single" | "Multi" | undefined;
  /** Whether a release said rolloutPercent, where that is not plain from its revisions. */
  readonly rollout?: boolean | undefined;
  /** Targets are called `tag`, not `name`. */
  readonly tag?: true | undefined;
}

/** In manual mode the Configuration and the Route are the user's own: nothing is made for the Service. */
export function isManual(service: Resource): boolean {
  return readForm(service).as === "manual";
}

/** Anyone may write an annotation: what is not understood counts as not there. */
export function readForm({ metadata }: Pick<Resource, "metadata">): Form {
  const text = metadata.annotations?.[formAnnotation];
  if (text === undefined) return {};
  const said = parsed(text);
  return {
    as: said["as"] === "inline" || said["as"] === "manual" ? said["as"] : undefined,
    template: said["template"] === true || undefined,
    containers: said["containers"] === true || undefined,
    model: said["model"] === "Single" || said["model"] === "Multi" ? said["model"] : undefined,
    rollout: typeof said["rollout"] === "boolean" ? said["rollout"] : undefined,
    tag: said["tag"] === true || undefined,
  };
}

function parsed(text: string): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

export function withForm(metadata: ObjectMeta, form: Form): ObjectMeta {
  const { annotations, ...rest } = withoutForm(metadata);
  const text = JSON.stringify(form);
  if (text === "{}") return annotations === undefined ? rest : { ...rest, annotations };
  return { ...rest, annotations: { ...annotations, [formAnnotation]: text } };
}

/** The note as it stands on another object, even where nobody understands it. */
export function withFormOf(metadata: ObjectMeta, old: ObjectMeta): ObjectMeta {
  const { annotations, ...rest } = withoutForm(metadata);
  const text = old.annotations?.[formAnnotation];
  if (text === undefined) return annotations === undefined ? rest : { ...rest, annotations };
  return { ...rest, annotations: { ...annotations, [formAnnotation]: text } };
}

export function withoutForm(metadata: ObjectMeta): ObjectMeta {
  if (metadata.annotations?.[formAnnotation] === undefined) return metadata;
  const { annotations, ...rest } = metadata;
  const { [formAnnotation]: _form, ...shown } = annotations;
  return Object.keys(shown).length === 0 ? rest : { ...rest, annotations: shown };
}
