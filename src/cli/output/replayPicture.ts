// Pods over time as a picture: of blocks for a terminal, and as SVG. Pure.
import type { ReplaySecond } from "../../domain/autoscaling/index.js";

const blocks = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const chartRows = 8;
const labelWidth = 7;

/** Two charts above each other: what was asked, and the pods there were for it. */
export function replayChart(
  seconds: readonly ReplaySecond[],
  unit: string,
  width: number,
): readonly string[] {
  const cells = Math.max(20, width - labelWidth - 2);
  return [
    ...chart(
      `load (${unit})`,
      buckets(seconds, cells, ({ load }) => load),
      4,
    ),
    ...chart(
      "pods",
      buckets(seconds, cells, ({ replicas }) => replicas),
      chartRows,
    ),
  ];
}

/** The highest of each stretch: a peak of a second must be seen in a day. */
function buckets(
  seconds: readonly ReplaySecond[],
  cells: number,
  of: (second: ReplaySecond) => number,
): readonly number[] {
  const count = Math.min(cells, seconds.length);
  return Array.from({ length: count }, (_, cell) => {
    const from = Math.floor((cell * seconds.length) / count);
    const to = Math.max(from + 1, Math.floor(((cell + 1) * seconds.length) / count));
    return seconds.slice(from, to).reduce((max, one) => Math.max(max, of(one)), 0);
  });
}

function chart(title: string, values: readonly number[], rows: number): readonly string[] {
  const top = Math.max(1e-9, ...values);
  const lines = Array.from({ length: rows }, (_, row) => {
    const floor = rows - row - 1;
    const cells = values.map((value) => {
      const eighths = Math.round(((value / top) * rows - floor) * 8);
      // What is more than nothing is seen, however little.
      const least = floor === 0 && value > 0 ? 1 : 0;
      return blocks[Math.min(8, Math.max(least, eighths))] ?? "";
    });
    const label = row === 0 ? labelOf(top) : floor === 0 ? "0" : "";
    return `${label.padStart(labelWidth)} ${cells.join("")}`.trimEnd();
  });
  return [`${" ".repeat(labelWidth + 1)}${title}`, ...lines];
}

function labelOf(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const size = { width: 960, height: 400, left: 56, right: 56, top: 28, bottom: 36 };
const colors = { load: "#9aa7b8", pods: "#1f6feb", ready: "#2da44e" };

export function replaySvg(seconds: readonly ReplaySecond[], unit: string): string {
  const { width, height, left, right, top, bottom } = size;
  const last = Math.max(1, seconds.length - 1);
  const mostLoad = Math.max(1e-9, ...seconds.map(({ load }) => load));
  const mostPods = Math.max(1, ...seconds.map(({ replicas }) => replicas));
  const x = (second: number) => left + (second / last) * (width - left - right);
  const y = (share: number) => height - bottom - share * (height - top - bottom);
  const path = (of: (one: ReplaySecond) => number, most: number) => {
    const steps: string[] = [];
    let before: number | undefined;
    for (const one of seconds) {
      const value = of(one);
      if (value === before && one.second !== last) continue;
      const at = x(one.second).toFixed(1);
      if (before === undefined) steps.push(`M${at} ${y(value / most).toFixed(1)}`);
      else steps.push(`H${at}V${y(value / most).toFixed(1)}`);
      before = value;
    }
    return steps.join("");
  };
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(share).toFixed(1);
    return (
      `<line x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" stroke="#d8dee4"/>` +
      `<text x="${left - 6}" y="${at}" text-anchor="end" dy="4" fill="${colors.pods}">${labelOf(share * mostPods)}</text>` +
      `<text x="${width - right + 6}" y="${at}" dy="4" fill="${colors.load}">${labelOf(share * mostLoad)}</text>`
    );
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const second = Math.round(share * last);
    return `<text x="${x(second).toFixed(1)}" y="${height - 12}" text-anchor="middle">${timeOf(second)}</text>`;
  });
  const line = (name: keyof typeof colors, d: string, more = "") =>
    `<path d="${d}" fill="none" stroke="${colors[name]}" stroke-width="1.5"${more}/>`;
  const legend = `<text x="${left}" y="16"><tspan fill="${colors.pods}">pods wanted</tspan> · <tspan fill="${colors.ready}">pods ready</tspan> · <tspan fill="${colors.load}">load (${unit})</tspan></text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...grid,
    ...ticks,
    line(
      "load",
      path(({ load }) => load, mostLoad),
    ),
    line(
      "ready",
      path(({ ready }) => ready, mostPods),
      ' stroke-dasharray="3 2"',
    ),
    line(
      "pods",
      path(({ replicas }) => replicas, mostPods),
    ),
    legend,
    "</svg>",
    "",
  ].join("\n");
}

function timeOf(second: number): string {
  if (second < 120) return `${second} s`;
  if (second < 7200) return `${Math.round(second / 60)} min`;
  return `${Math.round(second / 360) / 10} h`;
}
