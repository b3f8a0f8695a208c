// What the activator counted, as Prometheus text.
import type { RevisionThrottler } from "./revision.js";

/** Seconds: from a place that frees at once to a model that takes minutes to load. */
const bounds = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export class RevisionCounts {
  coldStarts = 0;
  turnedAway = 0;
  late = 0;
  heldSeconds = 0;
  readonly buckets = new Array<number>(bounds.length + 1).fill(0);

  held(ms: number): void {
    const seconds = ms / 1000;
    this.heldSeconds += seconds;
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
  lines.push(
    "# HELP drydock_revision_hold_seconds Time requests waited for a pod.",
    "# TYPE drydock_revision_hold_seconds histogram",
  );
  for (const revision of shown) lines.push(...histogram(revision));
  return lines;
}

function active({ pods }: RevisionThrottler): number {
  let count = 0;
  for (const pod of pods.all()) count += pod.inFlight;
  return count;
}

function histogram(revision: RevisionThrottler): string[] {
  const { counts } = revision;
  const with_ = labels(revision);
  const lines: string[] = [];
  let total = 0;
  for (const [index, count] of counts.buckets.entries()) {
    total += count;
    lines.push(`drydock_revision_hold_seconds_bucket{${with_},le="${bounds[index] ?? "+Inf"}"} ${total}`);
  }
  // Most revisions never hold anything: their buckets would be most of the page.
  if (total === 0) return [];
  lines.push(
    `drydock_revision_hold_seconds_sum{${with_}} ${counts.heldSeconds}`,
    `drydock_revision_hold_seconds_count{${with_}} ${total}`,
  );
  return lines;
}

function labels({ source }: RevisionThrottler): string {
  return `namespace="${source.namespace}",revision="${source.name}"`;
}
