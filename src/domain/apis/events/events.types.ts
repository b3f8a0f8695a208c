// Event as events.k8s.io/v1 shows it; storage is the core Event.

import { EventSourceSchema } from "../core/event.types.js";
import { ObjectReferenceSchema } from "../core/references.types.js";
import { resource } from "../meta/meta.types.js";
import { at, type Infer, int32, microTime, obj, str, time } from "../schema/index.js";

export const EventSeriesSchema = obj({
  count: at(1, int32()),
  lastObservedTime: at(2, microTime()),
});

export const EventSchema = resource({
  eventTime: at(2, microTime()),
  series: at(3, EventSeriesSchema),
  reportingController: at(4, str()),
  reportingInstance: at(5, str()),
  action: at(6, str()),
  reason: at(7, str()),
  regarding: at(8, ObjectReferenceSchema),
  related: at(9, ObjectReferenceSchema),
  note: at(10, str()),
  type: at(11, str()),
  deprecatedSource: at(12, EventSourceSchema),
  deprecatedFirstTimestamp: at(13, time()),
  deprecatedLastTimestamp: at(14, time()),
  deprecatedCount: at(15, int32()),
});

export interface Event extends Infer<typeof EventSchema> {}
