// Pods as containers of an engine that speaks the Docker API: the second adapter of the Sandbox and Images ports.

export { type Discovery, discoverEngine } from "./discover.js";
export { containerEngine, type EngineOptions, surroundings, sweepEngine } from "./engine.js";
