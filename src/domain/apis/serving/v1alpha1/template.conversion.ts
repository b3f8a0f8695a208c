// Templates between v1alpha1 and v1. What v1 cannot tell apart is noted in the form.
import type { Configuration as V1Configuration } from "../configuration.types.js";
import type { RevisionSpec as V1RevisionSpec } from "../template.types.js";
import type { Form } from "./form.js";
import type { ConfigurationSpec, RevisionSpec } from "./template.types.js";

type V1ConfigurationSpec = V1Configuration["spec"];

/** A part of an object in the other version, and what has to be remembered of how it was written. */
export interface Converted<T> {
  readonly spec: T;
  readonly form: Form;
}

export function specToV1(spec: RevisionSpec): Converted<V1RevisionSpec> {
  const { container, containers, concurrencyModel: model, ...same } = spec;
  const list = container === undefined ? (containers ?? []) : [container];
  return {
    spec: {
      ...same,
      containers: list,
      ...(model === undefined ? {} : { containerConcurrency: concurrencyOf[model] }),
    } as V1RevisionSpec,
    form: {
      ...(container === undefined && list.length === 1 ? { containers: true } : {}),
      ...(model === undefined ? {} : { model }),
    },
  };
}

export function specFromV1(spec: V1RevisionSpec, { containers: asList, model }: Form): RevisionSpec {
  const { containers, containerConcurrency, ...same } = spec;
  const [only] = containers;
  const asModel = model !== undefined && containerConcurrency === concurrencyOf[model];
  return {
    ...(only !== undefined && containers.length === 1 && asList !== true
      ? { container: only }
      : { containers }),
    ...(asModel
      ? { concurrencyModel: model }
      : containerConcurrency === undefined
        ? {}
        : { containerConcurrency }),
    ...same,
  };
}

/** What a concurrency model stands for. */
export const concurrencyOf = { Single: 1, Multi: 0 } as const;

export function configurationToV1(spec: ConfigurationSpec): Converted<V1ConfigurationSpec> {
  const { revisionTemplate, template = revisionTemplate, build } = spec;
  const run = template?.spec === undefined ? undefined : specToV1(template.spec);
  return {
    spec: {
      ...(template === undefined ? {} : { template: { ...template, ...(run && { spec: run.spec }) } }),
      ...(build === undefined ? {} : { build }),
    } as V1ConfigurationSpec,
    form: { ...(spec.template === undefined ? {} : { template: true }), ...run?.form },
  };
}

export function configurationFromV1({ template, build }: V1ConfigurationSpec, form: Form): ConfigurationSpec {
  const shown =
    template === undefined
      ? undefined
      : { ...template, ...(template.spec && { spec: specFromV1(template.spec, form) }) };
  return {
    ...(build === undefined ? {} : { build }),
    ...(shown === undefined ? {} : form.template ? { template: shown } : { revisionTemplate: shown }),
  };
}
