// Counts of what the gateway did: plain numbers and arrays on the hot path, text only when somebody asks.

/** Seconds; from a local ONNX model to a long generation. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export interface GatewayStats {
  readonly requests: number;
  readonly inFlight: number;
  readonly connections: number;
  /** Index 2 counts 200 to 299; index 0 those whose client left before an answer. */
  readonly byClass: readonly number[];
  readonly ownAnswers: Readonly<Record<string, number>>;
  readonly upstream: { readonly open: number; readonly idle: number };
}

export class Stats {
  inFlight = 0;
  connections = 0;
  requests = 0;
  /** Tries after the first, and those that were due but would have been too many. */
  readonly retries = { made: 0, spared: 0, underWay: 0 };
  readonly mirrors = { sent: 0, skipped: 0, underWay: 0 };
  private sumSeconds = 0;
  private readonly byClass = [0, 0, 0, 0, 0, 0];
  private readonly buckets = new Array<number>(bounds.length + 1).fill(0);
  private readonly own = new Map<string, number>();

  begin(): void {
    this.inFlight += 1;
  }

  end(status: number, ms: number): void {
    this.inFlight -= 1;
    this.requests += 1;
    const seconds = ms / 1000;
    this.sumSeconds += seconds;
    const at = Math.floor(status / 100);
    this.byClass[at] = (this.byClass[at] ?? 0) + 1;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket += 1;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
  }

  answered(reason: string): void {
    this.own.set(reason, (this.own.get(reason) ?? 0) + 1);
  }

  snapshot(upstream: GatewayStats["upstream"]): GatewayStats {
    const { requests, inFlight, connections, byClass, own } = this;
    return {
      requests,
      inFlight,
      connections,
      byClass: [...byClass],
      ownAnswers: Object.fromEntries(own),
      upstream,
    };
  }

  text(upstream: GatewayStats["upstream"]): string {
    const lines = [
      "# HELP drydock_gateway_requests_total Requests answered, by class of status code.",
      "# TYPE drydock_gateway_requests_total counter",
    ];
    for (const [index, count] of this.byClass.entries()) {
      lines.push(
        `drydock_gateway_requests_total{code_class="${index === 0 ? "clientGone" : `${index}xx`}"} ${count}`,
      );
    }
    lines.push(
      "# HELP drydock_gateway_own_answers_total Answers the gateway gave itself, by reason.",
      "# TYPE drydock_gateway_own_answers_total counter",
    );
    for (const [reason, count] of this.own)
      lines.push(`drydock_gateway_own_answers_total{reason="${reason}"} ${count}`);
    for (const [name, what] of [
      ["retries", { made: this.retries.made, spared: this.retries.spared }] as const,
      ["mirrors", { sent: this.mirrors.sent, skipped: this.mirrors.skipped }] as const,
    ]) {
      lines.push(`# TYPE drydock_gateway_${name}_total counter`);
      for (const [outcome, count] of Object.entries(what))
        lines.push(`drydock_gateway_${name}_total{outcome="${outcome}"} ${count}`);
    }
    const gauges = {
      in_flight: this.inFlight,
      connections: this.connections,
      pod_connections: upstream.open,
      pod_connections_idle: upstream.idle,
    };
    for (const [name, value] of Object.entries(gauges)) {
      lines.push(`# TYPE drydock_gateway_${name} gauge`, `drydock_gateway_${name} ${value}`);
    }
    lines.push(
      "# HELP drydock_gateway_request_seconds From head to end of answer.",
      "# TYPE drydock_gateway_request_seconds histogram",
    );
    let total = 0;
    for (const [index, count] of this.buckets.entries()) {
      total += count;
      lines.push(`drydock_gateway_request_seconds_bucket{le="${bounds[index] ?? "+Inf"}"} ${total}`);
    }
    lines.push(
      `drydock_gateway_request_seconds_sum ${this.sumSeconds}`,
      `drydock_gateway_request_seconds_count ${total}`,
      "",
    );
    return lines.join("\n");
  }
}
