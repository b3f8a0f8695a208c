export { type Compiled, compileRoutes } from "./compile.js";
export { movedPods } from "./endpoints.js";
export { compileGuard } from "./guard.js";
export type {
  CompileInput,
  EndpointsInput,
  GatewayInput,
  RevisionInput,
  ServiceInput,
  VirtualServiceInput,
} from "./inputs.js";
export { type Gateway, type GatewayListener, type StartGateway, startGateway } from "./listen.js";
export {
  type LoggedRevision,
  type RequestLine,
  type RequestLogSettings,
  requestLine,
} from "./requestLog.js";
export type { SeenRequest } from "./seen.js";
export type { Ahead } from "./serve.js";
export type { GatewayStats } from "./stats.js";
export {
  type Destination,
  type Direct,
  emptyTable,
  type HostCertificate,
  type HostRoutes,
  type ListenerName,
  type ListenerTable,
  type Revision,
  type RouteProblem,
  type RouteTable,
} from "./table.js";
