// Pods as plain processes of this machine: the Sandbox and Images ports without a container engine.

export { type ProcessImagesOptions, processImages, type RuntimeEnsure } from "./catalogue.js";
export { type ProcessSandboxOptions, processSandbox } from "./sandbox.js";
