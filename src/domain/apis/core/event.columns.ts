import { ageText, number, text, wide } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { Event } from "./event.types.js";

export const eventColumns: readonly Column<Event>[] = [
  text("Last Seen", lastSeen),
  text("Type", ({ type }) => type ?? ""),
  text("Reason", ({ reason }) => reason ?? ""),
  text("Object", ({ involvedObject: { kind = "", name = "" } }) =>
    name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
  ),
  wide(text("Subobject", ({ involvedObject }) => involvedObject.fieldPath ?? "")),
  wide(text("Source", sourceText)),
  text("Message", ({ message }) => (message ?? "").trim()),
  wide(text("First Seen", firstSeen)),
  wide(number("Count", ({ count, series }) => series?.count ?? (count || 1))),
  wide({ ...text<Event>("Name", ({ metadata }) => metadata.name), format: "name" }),
];

function firstSeen({ firstTimestamp, eventTime }: Event, nowMs: number): string {
  return ageText(firstTimestamp ?? eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  const { series, lastTimestamp } = event;
  if (series !== undefined) return ageText(series.lastObservedTime, nowMs);
  return lastTimestamp === undefined ? firstSeen(event, nowMs) : ageText(lastTimestamp, nowMs);
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || "";
  const host = source?.component ? (source.host ?? "") : (reportingInstance ?? "");
  return host === "" ? component : `${component}, ${host}`;
}
