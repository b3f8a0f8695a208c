// Latency histograms under upstream's names, kept as arrays: one request costs four additions, not four objects.

/** The default buckets of Python's Prometheus client, which upstream's dashboards assume. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

export interface Histogram {
  observe(seconds: number): void;
  text(): string;
}

export interface Metrics {
  readonly preprocess: Histogram;
  readonly predict: Histogram;
  readonly explain: Histogram;
  readonly postprocess: Histogram;
  text(): string;
}

export function metricsOf(modelName: string): Metrics {
  const preprocess = histogram("request_preprocess_seconds", "pre-process request latency", modelName);
  const predict = histogram("request_predict_seconds", "predict request latency", modelName);
  const explain = histogram("request_explain_seconds", "explain request latency", modelName);
  const postprocess = histogram("request_postprocess_seconds", "post-process request latency", modelName);
  const all = [preprocess, predict, explain, postprocess];
  return { preprocess, predict, explain, postprocess, text: () => all.map((one) => one.text()).join("") };
}

export function histogram(name: string, help: string, modelName: string): Histogram {
  const counts = new Float64Array(buckets.length + 1);
  const label = `model_name="${escapeLabel(modelName)}"`;
  let sum = 0;
  return {
    observe(seconds) {
      let at = 0;
      while (at < buckets.length && seconds > buckets[at]!) at += 1;
      counts[at]! += 1;
      sum += seconds;
    },
    text() {
      const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
      let total = 0;
      counts.forEach((count, at) => {
        total += count;
        lines.push(`${name}_bucket{le="${bound(buckets[at])}",${label}} ${total}`);
      });
      lines.push(`${name}_count{${label}} ${total}`, `${name}_sum{${label}} ${sum}`);
      return lines.join("\n") + "\n";
    },
  };
}

function bound(value: number | undefined): string {
  if (value === undefined) return "+Inf";
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
