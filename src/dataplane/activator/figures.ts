// What the activator counted, as Prometheus text.
import type { RevisionThrottler } from "./revision.js";

/** Seconds: from a place that frees at once to a model that takes minutes to load. */
const bounds = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export class RevisionCounts {
  coldStarts = 0;
  turnedAway = 0;
  late = 0;
  /** Time requests waited for a pod. */
  readonly held = new Histogram();
  /** Of requests that waited for a Revision's first pod: from arrival to the first byte of their answer. */
  readonly coldFirstByte = new Histogram();
}

class Histogram {
  seconds = 0;
  readonly buckets = new Array<number>(bounds.length + 1).fill(0);

  observe(ms: number): void {
    const seconds = ms / 1000;
    this.seconds += seconds;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket += 1;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
  }
}

export function figures(revisions: Iterable<RevisionThrottler>): string[] {
  const shown = [...revisions].filter((revision) => revision.settings !== undefined);
  const lines: string[] = [];
  const family = (
    name: string,
    type: "gauge" | "counter",
    help: string,
    of: (revision: RevisionThrottler) => number,
  ) => {
    lines.push(`# HELP drydock_revision_${name} ${help}`, `# TYPE drydock_revision_${name} ${type}`);
    for (const revision of shown) lines.push(`drydock_revision_${name}{${labels(revision)}} ${of(revision)}`);
  };
  family("queued", "gauge", "Requests that wait for a pod.", ({ queue }) => queue.size);
  family("active", "gauge", "Requests that are with a pod.", active);
  family("pods", "gauge", "Pods that are ready.", ({ pods }) => pods.ready.length);
  family(
    "capacity",
    "gauge",
    "Requests its ready pods take at once; -1 for any number.",
    ({ pods }) => pods.capacity ?? (pods.ready.length === 0 ? 0 : -1),
  );
  family(
    "ejections_total",
    "counter",
    "Pods left alone for a while after a refusal.",
    ({ pods }) => pods.ejections,
  );
  family(
    "cold_starts_total",
    "counter",
    "Times a first pod came while requests waited for it.",
    ({ counts }) => counts.coldStarts,
  );
  family(
    "turned_away_total",
    "counter",
    "Requests that found no place to wait in.",
    ({ counts }) => counts.turnedAway,
  );
  family(
    "late_total",
    "counter",
    "Requests that reached a limit of their Revision.",
    ({ counts }) => counts.late,
  );
  const histograms = (name: string, help: string, of: (counts: RevisionCounts) => Histogram) => {
    lines.push(`# HELP drydock_revision_${name} ${help}`, `# TYPE drydock_revision_${name} histogram`);
    for (const revision of shown)
      lines.push(...histogram(`drydock_revision_${name}`, labels(revision), of(revision.counts)));
  };
  histograms("hold_seconds", "Time requests waited for a pod.", ({ held }) => held);
  histograms(
    "cold_first_byte_seconds",
    "From a request that waited for a first pod to the first byte of its answer.",
    ({ coldFirstByte }) => coldFirstByte,
  );
  return lines;
}

function active({ pods }: RevisionThrottler): number {
  let count = 0;
  for (const pod of pods.all()) count += pod.inFlight;
  return count;
}

function histogram(name: string, with_: string, { buckets, seconds }: Histogram): string[] {
  const lines: string[] = [];
  let total = 0;
  for (const [index, count] of buckets.entries()) {
    total += count;
    lines.push(`${name}_bucket{${with_},le="${bounds[index] ?? "+Inf"}"} ${total}`);
  }
  // Most revisions never hold anything: their buckets would be most of the page.
  if (total === 0) return [];
  lines.push(`${name}_sum{${with_}} ${seconds}`, `${name}_count{${with_}} ${total}`);
  return lines;
}

function labels({ source }: RevisionThrottler): string {
  return `namespace="${source.namespace}",revision="${source.name}"`;
}
