// What must hold of a Build, and of one written inline in a Configuration or Service.

import { milliseconds, parseDuration } from "../config/goText.js";
import { labelNameErrors, repeated } from "../core/container.validation.js";
import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { equalJson } from "../schema/index.js";
import { sourceStep, stepContainer, stepNames, workspace } from "./build.names.js";
import type { Build, BuildSpec } from "./build.types.js";

type Step = NonNullable<BuildSpec["steps"]>[number];

export function validateBuild(
  build: Build,
  { operation, subresource, old }: AdmissionContext<Build>,
): readonly FieldError[] {
  if (subresource === "status") return [];
  // It runs once; what it ran must stay what it says.
  if (operation === "update" && !equalJson(old?.spec, build.spec)) {
    return [fieldErrors.forbidden("spec", "a Build is immutable: make another")];
  }
  return operation === "update" ? [] : buildSpecErrors(build.spec, "spec");
}

export function buildSpecErrors(spec: BuildSpec, path: string): readonly FieldError[] {
  const steps = spec.steps ?? [];
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  const first = sourceStep(spec) === undefined ? 0 : 1;
  const place = (index: number) =>
    index < first ? `${path}.source` : `${path}.steps[${index - first}].name`;
  return [
    ...(spec.template === undefined ? [] : [fieldErrors.forbidden(`${path}.template`, noTemplates)]),
    ...(steps.length === 0 && spec.template === undefined ? [fieldErrors.required(`${path}.steps`)] : []),
    ...steps.flatMap((step, index) => stepErrors(step, `${path}.steps[${index}]`, volumes)),
    ...repeated(stepNames(spec), place),
    ...sourceErrors(spec.source ?? {}, `${path}.source`, volumes),
    ...volumeErrors(spec, path),
    ...timeoutErrors(spec.timeout, `${path}.timeout`),
  ];
}

const noTemplates = "there are no build templates here: write the template's steps into the Build";

function stepErrors(step: Step, path: string, volumes: ReadonlySet<string>): readonly FieldError[] {
  return [
    ...(step.name ? labelNameErrors(`${path}.name`, stepContainer(step.name)) : []),
    ...containerErrors(step, path, volumes),
  ];
}

function containerErrors(step: Step, path: string, volumes: ReadonlySet<string>): readonly FieldError[] {
  return [
    ...(step.image ? [] : [fieldErrors.required(`${path}.image`)]),
    ...(step.volumeMounts ?? []).flatMap(({ name, mountPath }, index) => {
      const at = `${path}.volumeMounts[${index}]`;
      if (trimmed(mountPath) === workspace.path) {
        return [fieldErrors.forbidden(`${at}.mountPath`, "is where the source is, in every step")];
      }
      return volumes.has(name) ? [] : [fieldErrors.notFound(`${at}.name`, name)];
    }),
  ];
}

function trimmed(path: string | undefined): string {
  return (path ?? "").replace(/\/+$/, "");
}

function sourceErrors(
  source: NonNullable<BuildSpec["source"]>,
  path: string,
  volumes: ReadonlySet<string>,
): readonly FieldError[] {
  const { git, http, custom } = source;
  const given = Object.entries({ git, http, custom }).filter(([, one]) => one !== undefined);
  return [
    ...given
      .slice(1)
      .map(([name]) => fieldErrors.forbidden(`${path}.${name}`, "may not specify more than one source")),
    ...(git === undefined
      ? []
      : [...word(git.url, `${path}.git.url`, true), ...word(git.revision, `${path}.git.revision`, false)]),
    ...(http === undefined || /^https?:\/\/[^/]/.test(http.url ?? "")
      ? []
      : [fieldErrors.invalid(`${path}.http.url`, http.url ?? "", "must be an http:// or https:// URL")]),
    ...(custom === undefined ? [] : containerErrors(custom, `${path}.custom`, volumes)),
  ];
}

/** A word for git's command line, where what begins with a dash is an option. */
function word(text: string | undefined, path: string, required: boolean): readonly FieldError[] {
  if (!text) return required ? [fieldErrors.required(path)] : [];
  return text.startsWith("-") ? [fieldErrors.invalid(path, text, "must not begin with a dash")] : [];
}

function volumeErrors({ volumes = [] }: BuildSpec, path: string): readonly FieldError[] {
  const at = (index: number) => `${path}.volumes[${index}].name`;
  return [
    ...volumes.flatMap(({ name }, index) =>
      name === workspace.volume
        ? [fieldErrors.forbidden(at(index), "is the volume that holds the source")]
        : labelNameErrors(at(index), name ?? ""),
    ),
    ...repeated(
      volumes.map((volume) => volume.name),
      at,
    ),
  ];
}

function timeoutErrors(timeout: string | undefined, path: string): readonly FieldError[] {
  if (!timeout) return [];
  const parsed = parseDuration(timeout);
  if ("because" in parsed)
    return [fieldErrors.invalid(path, timeout, "must be a duration such as 10m or 1h30m")];
  const ms = milliseconds(parsed.value);
  return ms >= 1_000 && ms <= longestMs ? [] : [fieldErrors.invalid(path, timeout, "must be 1s to 24h")];
}

/** A day: a step that hangs must not hang for ever. */
const longestMs = 24 * 3_600_000;
