export { type ApiServer, type ApiServerOptions, startApiServer } from "./http/server.js";
export { localClient } from "./localClient.js";
export {
  createRegistry,
  insideContext,
  type Registry,
  type RegistryFigures,
  type RegistryOptions,
  type User,
  type View,
} from "./registry/index.js";
export { type Status, statusOf } from "./status.js";
