// The model server's door: one model, in its own process, behind V1 and V2 routes.

export type { Backend, BackendDeath } from "./backend.js";
export { firstLine, messageOf, StartupError } from "./errors.js";
export { onnxBackend } from "./onnx/backend.js";
export { type BackendName, type Options, parseOptions } from "./options.js";
export { sklearnBackend } from "./python/backend.js";
export { startWorker, type Worker } from "./python/worker.js";
export { rehearse, standIn } from "./rehearse.js";
export { type ModelServer, serveModel } from "./server.js";
