// events.k8s.io/v1: the core's events under newer names.
import { Event as CoreEvent } from "../../domain/apis/core/event.types.js";
import { EventSchema } from "../../domain/apis/events/events.types.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import type { View } from "../registry/index.js";

type Bag = { readonly [name: string]: unknown };

const { defaults: _defaults, validate: _validate, ...core } = CoreEvent as unknown as Kind;

/** From the newer name to the core's. What is not here is spelled the same. */
const names: { readonly [newer: string]: string } = {
  regarding: "involvedObject",
  note: "message",
  reportingController: "reportingComponent",
  deprecatedSource: "source",
  deprecatedFirstTimestamp: "firstTimestamp",
  deprecatedLastTimestamp: "lastTimestamp",
  deprecatedCount: "count",
};
const newerNames = Object.fromEntries(Object.entries(names).map(([newer, older]) => [older, newer]));

export const eventsView: View = {
  kind: {
    ...core,
    group: "events.k8s.io",
    schema: EventSchema as Kind["schema"],
    fieldSelectors: [
      "reason",
      "regarding.kind",
      "regarding.name",
      "regarding.namespace",
      "regarding.uid",
      "type",
    ],
    columns: [],
  },
  of: CoreEvent as unknown as Kind,
  toView: (event) => renamed(event, newerNames, "events.k8s.io/v1"),
  fromView: (event) => renamed(event, names, "v1"),
};

function renamed(object: Resource, to: { readonly [name: string]: string }, apiVersion: string): Resource {
  const made: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object as unknown as Bag)) made[to[name] ?? name] = value;
  return { ...(made as unknown as Resource), apiVersion };
}
