// Times and durations as people read them.
export { ageText, durationText } from "../domain/apis/columns/index.js";

/** `0.4 ms`, `12 ms`, `1.3 s`, `2 min 5 s`. */
export function elapsedText(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `1h30m`, `500ms`, or plain seconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    totalMs += Number(amount) * (units[unit] ?? 0);
  }
  return totalMs;
}

/** The time of day where the user is, for lines that pass. */
export function clockText(nowMs: number): string {
  return new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }).format(nowMs);
}
