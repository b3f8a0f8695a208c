// The Sandbox port with plain processes: no engine, no root, nothing left behind.
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Clock,
  type ContainerSpec,
  PortError,
  type RunningContainer,
  type Sandbox,
} from "../../ports/index.js";
import { runContainer } from "./container.js";
import { launch } from "./launch.js";
import { stragglerBatchMs } from "./limits.js";
import { processMeter } from "./meter.js";
import { processTable } from "./processTable.js";
import { startReaper } from "./reaper.js";
import { endMarked, instanceVariable, openRecords, sweepRecords } from "./records.js";
import { pathRewriter, realCommand } from "./rewrite.js";
import { keepSpares } from "./spares.js";

export interface ProcessSandboxOptions {
  /** Where records of running processes are kept. */
  readonly runFolder: string;
  readonly clock: Clock;
  /** Of Drydock's own environment only PATH and LANG reach a container. */
  readonly env?: NodeJS.ProcessEnv;
}

const containerVariable = "DRYDOCK_CONTAINER";

export async function processSandbox(options: ProcessSandboxOptions): Promise<Sandbox> {
  const { runFolder, clock } = options;
  const own = options.env ?? process.env;
  const table = processTable();
  const meter = processMeter(table, clock.now);
  const instance = randomUUID();
  const folder = await openRecords(runFolder, instance, table);
  const reaper = startReaper(folder);
  const spares = keepSpares();
  const running = new Set<RunningContainer>();
  const clearing = new Set<Promise<void>>();
  const endStragglers = stragglers((settings) => endMarked(settings, table));
  let isClosed = false;

  async function start(spec: ContainerSpec): Promise<RunningContainer> {
    if (isClosed) throw new PortError("ServiceUnavailable", "Drydock is shutting down");
    const temporary = join(spec.home, "tmp");
    mkdirSync(temporary, { recursive: true });
    const rewrite = spec.image.rewritesPaths ? pathRewriter(spec.mounts) : (text: string) => text;
    const workingDir = spec.workingDir ?? spec.image.workingDir;
    const cwd = workingDir === undefined ? spec.home : rewrite(workingDir);
    const env = {
      PATH: own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
      LANG: own["LANG"] ?? "C.UTF-8",
      HOME: spec.home,
      TMPDIR: temporary,
      ...spec.image.env,
      ...rewritten(spec.env, rewrite),
      [instanceVariable]: instance,
      [containerVariable]: spec.id,
    };

    const begin = async (argv: readonly string[], name: string, stdin: boolean) => {
      const record = join(folder, `${name}.pid`);
      const child = await launch({ argv, cwd, env, record, stdin }, spares);
      return { child, forget: () => rm(record, { force: true }) };
    };

    const { child, forget } = await begin(realCommand(spec, rewrite), spec.id, false);
    const container = runContainer({
      spec,
      child,
      clock,
      meter,
      spawnBeside: (beside, name) => begin(beside.command.map(rewrite), name, beside.stdin),
      clearAway() {
        // A record that could not be removed names a group that is gone; the next sweep sees that too.
        const cleared = endStragglers(`${containerVariable}=${spec.id}`)
          .then(forget, forget)
          .catch(() => {})
          .finally(() => clearing.delete(cleared));
        clearing.add(cleared);
      },
    });
    running.add(container);
    void container.exited.then(() => running.delete(container));
    return container;
  }

  return {
    scheme: "process",
    start,
    sweep: () => sweepRecords(runFolder, instance, table),
    async close() {
      isClosed = true;
      spares.close();
      await Promise.all([...running].map((container) => container.kill()));
      await Promise.allSettled(clearing);
      reaper.dismiss();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Paths to Drydock's own files are real already. */
function rewritten(env: ContainerSpec["env"], rewrite: (text: string) => string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, name.startsWith("DRYDOCK_") ? value : rewrite(value)]),
  );
}

/** A process may have left its group; one look through all processes serves all containers that just ended. */
function stragglers(
  end: (settings: ReadonlySet<string>) => Promise<void>,
): (setting: string) => Promise<void> {
  let batch: { readonly settings: Set<string>; readonly done: Promise<void> } | undefined;
  return (setting) => {
    if (batch === undefined) {
      const settings = new Set<string>();
      const done = new Promise<void>((resolve) => setTimeout(resolve, stragglerBatchMs)).then(() => {
        batch = undefined;
        return end(settings);
      });
      batch = { settings, done };
    }
    batch.settings.add(setting);
    return batch.done;
  };
}
