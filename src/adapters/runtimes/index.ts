// Model runtimes made present on this machine: ONNX Runtime, and Python with scikit-learn.

export { InstallError, type RuntimeName } from "./recipe.js";
export {
  type EnsureOptions,
  type InstallOptions,
  type RuntimeEnv,
  type RuntimeStatus,
  type Runtimes,
  type RuntimesOptions,
  runtimes,
} from "./runtimes.js";
