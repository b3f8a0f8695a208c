// Images in registries, over their HTTP API: what tags mean, manifests, layers.

export type { Env } from "./machine.js";
export { type Access, type Manifest, openRegistry, type Registry, type RegistryOptions } from "./registry.js";
export { RegistryTrouble, told } from "./trouble.js";
