export { type Autoscaler, type AutoscalerOptions, startAutoscaler } from "./autoscaler.js";
