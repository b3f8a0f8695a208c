// The V1 protocol: instances in, predictions out.

import { invalidInput } from "./errors.js";

export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw invalidInput(`Unrecognized request format: ${(error as Error).message}`);
  }
}

/** `inputs` is upstream's other spelling of `instances`, and wins when both are there. */
export function readInstances(payload: unknown): readonly unknown[] {
  const { instances, inputs } = (isRecord(payload) ? payload : {}) as {
    instances?: unknown;
    inputs?: unknown;
  };
  if (inputs !== undefined) {
    if (Array.isArray(inputs)) return inputs;
    throw invalidInput('Expected "inputs" to be a list');
  }
  if (Array.isArray(instances)) return instances;
  throw invalidInput('Expected "instances" to be a list');
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
