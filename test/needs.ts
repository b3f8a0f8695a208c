// What a test needs of the machine, said aloud when it is missing. In CI nothing may be missing.
import { spawnSync } from "node:child_process";
import { describe } from "vitest";

/** A describe that is skipped, with the reason in its name, when a program does not run here. */
export function describeWith(command: readonly [string, ...string[]], title: string, body: () => void): void {
  const [program, ...args] = command;
  const probe = spawnSync(program, args, { stdio: "ignore", timeout: 60_000 });
  if (probe.status === 0) {
    describe(title, body);
    return;
  }
  const missing = `\`${command.join(" ")}\` does not run here`;
  if (process.env["DRYDOCK_SKIP_NOTHING"] !== undefined) throw new Error(`${title}: ${missing}`);
  describe.skip(`${title} (skipped: ${missing})`, body);
}
