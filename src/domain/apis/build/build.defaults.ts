import type { Build } from "./build.types.js";

export const defaultTimeout = "10m";

export function defaultBuild(build: Build): Build {
  const { spec } = build;
  return {
    ...build,
    spec: {
      ...spec,
      ...(spec.steps === undefined
        ? {}
        : { steps: spec.steps.map((step, index) => ({ ...step, name: step.name || `unnamed-${index}` })) }),
      timeout: spec.timeout || defaultTimeout,
    },
  };
}
