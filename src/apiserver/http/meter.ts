// Counts what was asked, for /metrics.

export interface Meter {
  answered(verb: string, resource: string, code: number, seconds: number): void;
  watchOpened(): void;
  watchClosed(): void;
  watchCut(): void;
  text(): readonly string[];
}

/** Upper edges of the duration buckets, in seconds. */
const edges = [0.005, 0.025, 0.1, 0.5, 2, 10] as const;

export function makeMeter(): Meter {
  const requests = new Map<string, number>();
  const durations = new Map<string, { readonly buckets: number[]; sum: number; count: number }>();
  let watches = 0;
  let cut = 0;

  return {
    answered(verb, resource, code, seconds) {
      const labels = `verb="${verb}",resource="${resource}",code="${code}"`;
      requests.set(labels, (requests.get(labels) ?? 0) + 1);
      const known = durations.get(verb) ?? { buckets: edges.map(() => 0), sum: 0, count: 0 };
      durations.set(verb, known);
      known.count++;
      known.sum += seconds;
      edges.forEach((edge, i) => {
        if (seconds <= edge) known.buckets[i] = (known.buckets[i] ?? 0) + 1;
      });
    },
    watchOpened: () => {
      watches++;
    },
    watchClosed: () => {
      watches--;
    },
    watchCut: () => {
      cut++;
    },
    text: () => [
      "# HELP drydock_apiserver_requests_total Requests answered, watches when they end.",
      "# TYPE drydock_apiserver_requests_total counter",
      ...[...requests].map(([labels, count]) => `drydock_apiserver_requests_total{${labels}} ${count}`),
      "# HELP drydock_apiserver_request_duration_seconds How long answers took, watches left out.",
      "# TYPE drydock_apiserver_request_duration_seconds histogram",
      ...[...durations].flatMap(([verb, { buckets, sum, count }]) => [
        ...edges.map(
          (edge, i) =>
            `drydock_apiserver_request_duration_seconds_bucket{verb="${verb}",le="${edge}"} ${buckets[i]}`,
        ),
        `drydock_apiserver_request_duration_seconds_bucket{verb="${verb}",le="+Inf"} ${count}`,
        `drydock_apiserver_request_duration_seconds_sum{verb="${verb}"} ${sum}`,
        `drydock_apiserver_request_duration_seconds_count{verb="${verb}"} ${count}`,
      ]),
      "# HELP drydock_apiserver_watches Watches open now.",
      "# TYPE drydock_apiserver_watches gauge",
      `drydock_apiserver_watches ${watches}`,
      "# HELP drydock_apiserver_watches_cut_total Watches ended because their reader was too slow.",
      "# TYPE drydock_apiserver_watches_cut_total counter",
      `drydock_apiserver_watches_cut_total ${cut}`,
    ],
  };
}
