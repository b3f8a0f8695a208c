// Prints a line for each scenario, and at the end how soon status said what had happened to real processes.
import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { ScenarioMeta } from "./meta.js";

export default class Lines implements Reporter {
  readonly #measured: number[] = [];

  onInit(): void {
    print(row(["scenario", "Ready of the top", "fault to final status", ""]));
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state === "skipped") return;
    const meta: ScenarioMeta | undefined = test.meta().scenario;
    const { reason = "", clock = "fake" } = meta ?? {};
    if (clock === "real" && meta?.deadline !== true) this.#measured.push(...(meta?.allMs ?? []));
    const took =
      meta === undefined ? "" : `${timeText(meta)}${meta.deadline === true ? " with its deadline" : ""}`;
    print(row([test.name, reason, took, state === "passed" ? "pass" : "FAIL"]));
    for (const error of errors) print(indented(error.message));
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly { readonly message: string }[]): void {
    for (const error of [...errors, ...modules.flatMap((module) => module.errors())])
      print(indented(error.message));
    const sorted = [...this.#measured].sort((a, b) => a - b);
    if (sorted.length === 0) return;
    const at = (part: number) => Math.round(sorted[Math.ceil(part * sorted.length) - 1] ?? 0);
    print(
      `\n${sorted.length} faults of real processes: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`,
    );
  }
}

const widths = [38, 46, 30];

function row(cells: readonly string[]): string {
  return cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" ");
}

function timeText({ clock, tookMs, allMs = [] }: ScenarioMeta): string {
  if (clock === "fake") return `${tookMs / 1000} s`;
  const worst = Math.round(Math.max(...allMs));
  return allMs.length > 1 ? `${Math.round(tookMs)} ms, worst ${worst} ms` : `${Math.round(tookMs)} ms`;
}

function indented(text: string): string {
  return text.replace(/^/gm, "    ");
}

function print(line: string): void {
  process.stdout.write(`${line.trimEnd()}\n`);
}
