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
  spareVariable,
} from "../../ports/index.js";
import { runContainer } from "./container.js";
import { runInside } from "./inside.js";
import { type Launch, launch } from "./launch.js";
import { sparesEach, stragglerBatchMs } from "./limits.js";
import { processMeter } from "./meter.js";
import { processTable } from "./processTable.js";
import { keepPrograms } from "./programs.js";
import { startReaper } from "./reaper.js";
import { endMarked, instanceVariable, openRecords, sweepRecords } from "./records.js";
import { pathRewriter, realCommand, runsEntrypoint } from "./rewrite.js";
import { keepSpares } from "./spares.js";

export interface ProcessSandboxOptions {
  /** Where records of running processes are kept. */
  readonly runFolder: string;
  readonly clock: Clock;
  /** Of Drydock's own environment only PATH and LANG reach a container. */
  readonly env?: NodeJS.ProcessEnv;
  /** How many processes of each program in use are kept waiting for the next start. */
  readonly spares?: number;
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
  const shells = keepSpares();
  const common = { PATH: own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", LANG: own["LANG"] ?? "C.UTF-8" };
  const programs = keepPrograms({
    table,
    folder,
    now: clock.now,
    each: options.spares ?? sparesEach,
    envOf: (image, name) => ({
      ...common,
      HOME: "/",
      ...image.env,
      [spareVariable]: "1",
      [instanceVariable]: instance,
      [containerVariable]: name,
    }),
  });
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
      ...common,
      HOME: spec.home,
      TMPDIR: temporary,
      ...spec.image.env,
      ...rewritten(spec.env, rewrite),
      [instanceVariable]: instance,
      [containerVariable]: spec.id,
    };

    const recordOf = (name: string) => join(folder, `${name}.pid`);
    const forget = (name: string) => rm(recordOf(name), { force: true });

    const wish = { argv: realCommand(spec, rewrite), cwd, env, record: recordOf(spec.id), stdin: false };
    const run = await insideOf(spec, wish);
    if (run !== undefined) return known(runInside(spec, run, clock));
    const begun = await begin(spec, wish);
    const container = runContainer({
      spec,
      child: begun.child,
      cpuMsBefore: begun.cpuMs,
      startedAtMs: begun.startedAtMs,
      saidExit: begun.saidExit,
      clock,
      meter,
      async spawnBeside({ command, stdin }, name) {
        const wish = { argv: command.map(rewrite), cwd, env, record: recordOf(name), stdin };
        return { child: await launch(wish, shells), forget: () => forget(name) };
      },
      clearAway() {
        const names = [spec.id, ...(begun.name === undefined ? [] : [begun.name])];
        // A record that could not be removed names a group that is gone; the next sweep sees that too.
        const cleared = Promise.all(names.map((name) => endStragglers(`${containerVariable}=${name}`)))
          .then(
            () => forget(spec.id),
            () => forget(spec.id),
          )
          .catch(() => {})
          .finally(() => clearing.delete(cleared));
        clearing.add(cleared);
      },
    });
    return known(container);
  }

  function known(container: RunningContainer): RunningContainer {
    running.add(container);
    void container.exited.then(() => running.delete(container));
    return container;
  }

  async function insideOf(spec: ContainerSpec, { argv, env }: Launch) {
    const { inside, entrypoint } = spec.image;
    return runsEntrypoint(spec) ? inside?.(argv.slice(entrypoint.length), env) : undefined;
  }

  /** As a program that waited for this, or from the beginning: nobody can tell which. */
  async function begin(spec: ContainerSpec, wish: Launch) {
    const taken = runsEntrypoint(spec) ? await programs.take(spec.image, wish) : undefined;
    if (taken !== undefined) return taken;
    const child = await launch(wish, shells);
    return { child, name: undefined, cpuMs: 0, startedAtMs: undefined, saidExit: undefined };
  }

  return {
    scheme: "process",
    start,
    warm: programs.warm,
    stir: programs.stir,
    sweep: () => sweepRecords(runFolder, instance, table),
    async close() {
      isClosed = true;
      shells.close();
      programs.close();
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
