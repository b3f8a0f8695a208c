export { type Ensured, type EnsureOwned, ensureOwned, ownedBy } from "./ensure.js";
export { type Controller, reconcileOnce, startController } from "./frame.js";
export { type Change, controllerUid, type Informer, keyFromText, keyOf, keyText } from "./informer.js";
export { type Informers, makeInformers, readYourWrites } from "./informers.js";
export { makeQuiet, type Quiet } from "./quiet.js";
export {
  asKind,
  type Deps,
  type Outcome,
  type Reconciler,
  type StatusReport,
  type Watch,
  watch,
} from "./reconciler.js";
export { makeRecorder, type RecorderOptions } from "./recorder.js";
export { same } from "./status.js";
export { type Workqueue, workqueue } from "./workqueue.js";
