/**
 * When a server-side apply takes one way of writing away and puts another in its place, what the server itself had
 * filled in stays behind. Such a rest was there before and names no image any more: it gives way to the new.
 */
import type { AdmissionContext, Resource } from "../../kind.js";
import { equalJson } from "../../schema/index.js";
import type { ServiceSpec } from "./service.types.js";
import type { ConfigurationSpec, RevisionSpec, Template } from "./template.types.js";

type Settle<S> = (spec: S, old: S | undefined) => S;

/** A view's `defaults`: only an update leaves anything behind. */
export function settled<S, T extends Resource & { readonly spec: S }>(settle: Settle<S>) {
  return (object: T, { subresource, old }: AdmissionContext<T>): T =>
    old === undefined || subresource !== "" ? object : { ...object, spec: settle(object.spec, old.spec) };
}

export const settleService: Settle<ServiceSpec> = (spec, old) => {
  const { runLatest, pinned, release, manual, traffic, ...inline } = spec;
  const { traffic: oldTraffic, ...before } = old ?? {};
  const modes = { runLatest, pinned, release };
  const isInline = hasAny(inline) || traffic !== undefined;
  const ways = Object.values({ ...modes, manual }).filter((mode) => mode !== undefined).length;
  const isOneOfMany = ways + (isInline ? 1 : 0) > 1;

  const kept: { [name: string]: unknown } = manual === undefined ? {} : { manual };
  for (const name of ["runLatest", "pinned", "release"] as const) {
    const mode = modes[name];
    if (mode === undefined) continue;
    const { configuration } = mode;
    const was = before[name];
    if (isOneOfMany && was !== undefined && !runsAnything(configuration ?? {})) continue;
    kept[name] =
      configuration === undefined
        ? mode
        : { ...mode, configuration: settleConfiguration(configuration, was?.configuration) };
  }
  const wasInline = hasAny({ revisionTemplate: before.revisionTemplate, template: before.template });
  if (isOneOfMany && wasInline && !runsAnything(inline) && sameOrNone(traffic, oldTraffic)) return kept;
  return {
    ...kept,
    ...settleConfiguration(inline, before),
    ...(traffic === undefined ? {} : { traffic }),
  };
};

export const settleConfiguration: Settle<ConfigurationSpec> = (spec, old) => {
  const { revisionTemplate, template, ...rest } = spec;
  const both = revisionTemplate !== undefined && template !== undefined;
  const settle = (one: Template | undefined, was: Template | undefined) =>
    one === undefined || (both && was !== undefined && !hasImage(one)) ? undefined : settleTemplate(one, was);
  const older = settle(revisionTemplate, old?.revisionTemplate);
  const newer = settle(template, old?.template);
  return {
    ...rest,
    ...(older === undefined ? {} : { revisionTemplate: older }),
    ...(newer === undefined ? {} : { template: newer }),
  };
};

function settleTemplate(template: Template, old: Template | undefined): Template {
  return template.spec === undefined
    ? template
    : { ...template, spec: settleRevision(template.spec, old?.spec) };
}

export const settleRevision: Settle<RevisionSpec> = (spec, old) => {
  const { container, ...rest } = spec;
  const gaveWay = container !== undefined && !container.image && Boolean(spec.containers?.length);
  return gaveWay && old?.container !== undefined ? rest : spec;
};

function runsAnything({ revisionTemplate, template }: ConfigurationSpec): boolean {
  return hasImage(revisionTemplate ?? {}) || hasImage(template ?? {});
}

function hasImage({ spec }: Template): boolean {
  return Boolean(spec?.container?.image) || Boolean(spec?.containers?.length);
}

function hasAny(members: object): boolean {
  return Object.values(members).some((member) => member !== undefined);
}

function sameOrNone(value: unknown, old: unknown): boolean {
  return value === undefined || equalJson(value, old);
}
