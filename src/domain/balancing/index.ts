export { pickFirstAvailable, pickRoundRobin } from "./available.js";
export { type EjectionLimits, ejectedForMs } from "./ejection.js";
export { type Holding, type HoldLimits, mayHold } from "./holding.js";
export { pickLeastLoaded } from "./pick.js";
