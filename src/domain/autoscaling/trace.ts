// Traffic over time as a text, and settings as `key=value`: what a replay is told.
import { readServingConfig, servingConfigMaps } from "../apis/config/index.js";
import { lines } from "../apis/serving/knativeError.js";
import { scalingKeys, validateScaling } from "../apis/serving/scaling.validation.js";
import type { Trace, TracePoint } from "./replay.js";
import { type ScalingSettings, scalingSettings } from "./settings.js";

export type Told<T> = { readonly value: T } | { readonly because: string };

/** A week: longer ones are replayed in parts. */
const mostSeconds = 7 * 86_400;

/**
 * `seconds,concurrency` or `seconds,rps`, then a row for each change; what a row says holds until the next.
 * Empty lines and those that begin with # are skipped.
 */
export function parseTrace(text: string): Told<Trace> {
  const rows = text
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, line: line.trim() }))
    .filter(({ line }) => line !== "" && !line.startsWith("#"));
  const [head, ...rest] = rows;
  const unit = /^seconds\s*,\s*(concurrency|rps)$/i.exec(head?.line ?? "")?.[1]?.toLowerCase();
  if (unit !== "concurrency" && unit !== "rps") {
    return { because: 'its first line must be "seconds,concurrency" or "seconds,rps"' };
  }
  const points: TracePoint[] = [];
  for (const { number, line } of rest) {
    const [, second, load] = /^(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)$/.exec(line) ?? [];
    if (second === undefined || load === undefined)
      return { because: `line ${number} is not two numbers: "${line.slice(0, 60)}"` };
    const point = { second: Math.floor(Number(second)), load: Number(load) };
    if (point.second < (points.at(-1)?.second ?? 0))
      return { because: `line ${number} is earlier than the line before it` };
    if (point.second > mostSeconds)
      return { because: `line ${number} is beyond a week (${mostSeconds} seconds)` };
    points.push(point);
  }
  return points.length === 0 ? { because: "it has no rows" } : { value: { unit, points } };
}

/** Each key is an annotation of `autoscaling.knative.dev` by its short name, or a key of `config-autoscaler`. */
export function replaySettings(sets: readonly string[], containerConcurrency: number): Told<ScalingSettings> {
  const map = servingConfigMaps.find(({ name }) => name === "config-autoscaler");
  const annotations: { [key: string]: string } = {};
  const data: { [key: string]: string } = {};
  for (const set of sets) {
    const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(set) ?? [];
    const whole = key.includes("/") ? key : `autoscaling.knative.dev/${key}`;
    if (spellings.has(whole)) annotations[whole] = value;
    else if (map?.known?.includes(key)) data[key] = value;
    else if (key === "") return { because: `"${set}" is not KEY=VALUE` };
    else
      return {
        because: `"${key}" is neither an annotation nor a key of config-autoscaler. Known: ${known()}`,
      };
  }
  const faults = map?.read(data).faults.map(({ message }) => message) ?? [];
  const config = readServingConfig((name) => (name === map?.name ? data : undefined)).autoscaler;
  const refused = [...faults, ...lines(validateScaling(annotations, config))];
  if (refused.length > 0) return { because: refused.join("; ") };
  return {
    value: scalingSettings(
      { metadata: { name: "replay", annotations }, spec: { containerConcurrency } },
      config,
    ),
  };

  function known(): string {
    const short = [...spellings].map((key) => key.slice(key.indexOf("/") + 1));
    return [...new Set([...short, ...(map?.known ?? [])])].filter((key) => !/[A-Z]/.test(key)).join(", ");
  }
}

const spellings: ReadonlySet<string> = new Set(Object.values(scalingKeys).flat());
