// Event (core/v1).

import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { at, type Infer, int32, microTime, obj, str, time } from "../schema/index.js";
import { eventColumns } from "./event.columns.js";
import { validateEvent } from "./event.validation.js";
import { ObjectReferenceSchema } from "./references.types.js";

export const EventSourceSchema = obj({
  component: at(1, str()),
  host: at(2, str()),
});

export interface EventSource extends Infer<typeof EventSourceSchema> {}

export const EventSeriesSchema = obj({
  count: at(1, int32()),
  lastObservedTime: at(2, microTime()),
});

export const EventSchema = resource(
  {
    involvedObject: at(2, ObjectReferenceSchema),
    reason: at(3, str()),
    message: at(4, str()),
    source: at(5, EventSourceSchema),
    firstTimestamp: at(6, time()),
    lastTimestamp: at(7, time()),
    count: at(8, int32()),
    type: at(9, str()),
    eventTime: at(10, microTime()),
    series: at(11, EventSeriesSchema),
    action: at(12, str()),
    related: at(13, ObjectReferenceSchema),
    reportingComponent: at(14, str()),
    reportingInstance: at(15, str()),
  },
  { required: ["involvedObject"] },
);

export interface Event extends Infer<typeof EventSchema> {}

export const Event: Kind<Event> = defineKind<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  description: "Something that happened to an object.",
  schema: EventSchema,
  columns: eventColumns,
  validate: validateEvent,
});
