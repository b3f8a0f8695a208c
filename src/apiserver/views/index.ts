import type { View } from "../registry/index.js";
import { autoscalerView } from "./autoscaling.js";
import { eventsView } from "./events.js";
import { inferenceServiceView } from "./kserve.js";
import { servingViews } from "./serving.js";

/** The older and newer shapes of built-in kinds. */
export const builtinViews: readonly View[] = [
  autoscalerView,
  eventsView,
  inferenceServiceView,
  ...servingViews,
];
