// `drydock autoscale --replay`: what a trace of traffic would do to a Revision's pods, without running any.
import { readFile, stat, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseTrace, type ReplaySecond, replay, replaySettings } from "../../domain/autoscaling/index.js";
import type { Context } from "../context.js";
import { CliError, usageError } from "../errors.js";
import { columns } from "../output/columns.js";
import { replayChart, replaySvg } from "../output/replayPicture.js";
import { paint } from "../output/style.js";
import { parseDuration } from "../time.js";

export interface AutoscaleOptions {
  readonly replay: string;
  readonly set?: readonly string[];
  readonly serviceTime: string;
  readonly containerConcurrency: number;
  readonly podStart: string;
  readonly svg?: string;
  readonly output?: string;
}

/** A trace is text that we read whole. */
const mostTraceBytes = 64 * 1024 * 1024;

/** Changes beyond these are counted, not listed; the picture has them all. */
const mostRows = 40;

export async function autoscale(context: Context, options: AutoscaleOptions): Promise<void> {
  const { terminal, cwd } = context;
  if (options.output !== undefined && options.output !== "json") throw usageError("-o takes json.");
  const model = {
    serviceMs: positive("--service-time", options.serviceTime),
    containerConcurrency: options.containerConcurrency,
    startMs: positive("--pod-start", options.podStart),
  };
  if (model.containerConcurrency < 0) throw usageError("--container-concurrency must not be negative.");
  const settings = replaySettings(options.set ?? [], model.containerConcurrency);
  if ("because" in settings) throw usageError(`--set: ${settings.because}`);
  const trace = parseTrace(await read(resolve(cwd, options.replay), options.replay));
  if ("because" in trace) throw new CliError(`cannot replay ${options.replay}: ${trace.because}.`);

  const { stableWindowMs, graceMs, retentionMs, scaleDownDelayMs } = settings.value;
  // Long enough after the last word to see it go to zero.
  const afterMs = 2 * stableWindowMs + Math.max(graceMs, retentionMs) + scaleDownDelayMs + 10_000;
  const until = (trace.value.points.at(-1)?.second ?? 0) + Math.ceil(afterMs / 1000);
  const seconds = replay(trace.value, settings.value, model, until);

  if (options.svg !== undefined) {
    await writeFile(resolve(cwd, options.svg), replaySvg(seconds, trace.value.unit)).catch((cause: Error) => {
      throw new CliError(`cannot write ${options.svg}: ${cause.message}`, 1, { cause });
    });
  }
  if (options.output === "json") {
    terminal.out(`${JSON.stringify(seconds, null, 2)}\n`);
    return;
  }
  const painted = paint(terminal.outColors);
  terminal.out(`${replayChart(seconds, trace.value.unit, Math.min(terminal.columns, 120)).join("\n")}\n\n`);
  for (const line of changesOf(seconds, trace.value.unit)) terminal.out(`${line}\n`);
  terminal.out(`\n${painted.bold(summaryOf(seconds))}\n`);
  if (options.svg !== undefined) terminal.err(`${painted.dim(`The picture is ${options.svg}.`)}\n`);
}

function positive(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0)
    throw usageError(`invalid ${option} "${text}": write a duration such as 100ms or 2s.`);
  return ms;
}

async function read(path: string, name: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > mostTraceBytes)
      throw new Error(
        `it has more than ${mostTraceBytes / 1024 / 1024} MiB: one row for each change is enough`,
      );
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new CliError(`cannot read ${name}: ${(cause as Error).message}`, 1, { cause });
  }
}

function changesOf(seconds: readonly ReplaySecond[], unit: string): readonly string[] {
  const changed = seconds.filter((one, index) => {
    const before = seconds[index - 1];
    return before === undefined || one.replicas !== before.replicas || one.active !== before.active;
  });
  const rows = changed
    .slice(0, mostRows)
    .map((one) => [
      clock(one.second),
      short(one.load),
      short(one.concurrency),
      short(one.held),
      String(one.replicas),
      String(one.ready),
      one.active,
      one.because,
    ]);
  const head = ["TIME", unit.toUpperCase(), "IN FLIGHT", "HELD", "PODS", "READY", "ACTIVE", "BECAUSE"];
  const more = changed.length - rows.length;
  return [
    ...columns().lines([head, ...rows]),
    ...(more > 0 ? [`... and ${more} more changes; -o json has every second`] : []),
  ];
}

function summaryOf(seconds: readonly ReplaySecond[]): string {
  const most = seconds.reduce((max, { replicas }) => Math.max(max, replicas), 0);
  const podSeconds = seconds.reduce((sum, { replicas }) => sum + replicas, 0);
  const held = seconds.filter((one) => one.held > 0).length;
  const asleep = seconds.filter(({ replicas }) => replicas === 0).length;
  return (
    `${clock(seconds.length - 1)} replayed: at most ${most} pods, ${short(podSeconds / seconds.length)} on average, ` +
    `asleep ${short((100 * asleep) / seconds.length)} % of the time; requests waited for pods in ${held} seconds.`
  );
}

/** `1:02:03` since the beginning. */
function clock(second: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `${Math.floor(second / 3600)}:${two((second % 3600) / 60)}:${two(second % 60)}`;
}

function short(value: number): string {
  return String(value >= 100 ? Math.round(value) : Math.round(value * 10) / 10);
}
