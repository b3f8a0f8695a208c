/**
 * The Engine port: looked for when the first container comes, and remembered on disk while containers may be left in
 * it, so that whoever comes after a crash looks there too: to take back what runs on, and to end the rest.
 */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Clock, Engine, Images, Log, Opened, Sandbox } from "../../ports/index.js";
import type { EngineAddress } from "./api.js";
import { ask, discoverEngine, type Surroundings } from "./discover.js";
import type { EngineSandbox } from "./sandbox.js";

export interface EngineOptions {
  /** Drydock's own folder: in it is noted that containers may be running, and where. */
  readonly home: string;
  /** Nobody comes back to this home: what is left in the engine is for anybody to end. */
  readonly isPrivate?: boolean;
  /** How many of what is made ahead wait; as many as is usual unless told. */
  readonly spares?: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly around?: Surroundings;
}

type Open = { readonly outcome: "open"; readonly sandbox: EngineSandbox; readonly images: Images };

export function containerEngine({
  home,
  isPrivate = false,
  spares,
  clock,
  log,
  around = surroundings(),
}: EngineOptions): Engine {
  const note = noteIn(home);
  let sweepDue: (() => ReadonlySet<string>) | undefined;
  let opening: Promise<Opened> | undefined;
  let open: Open | undefined;

  async function tryOpen(): Promise<Opened> {
    const discovery = await discoverEngine(around);
    if (discovery.outcome === "missing") return discovery;
    const { engine } = discovery;
    const [{ engineSandbox }, { engineImages }] = await parts();
    const sandbox = await engineSandbox({
      engine,
      clock,
      instance: randomUUID(),
      ...(isPrivate ? {} : { home }),
      ...(spares !== undefined && { spares }),
    });
    const before = noted(note);
    if (before !== undefined && before.url !== engine.address.url) await sweepElsewhere(before);
    if (sweepDue !== undefined) await sweepIn(sandbox, sweepDue());
    await writeFile(note, JSON.stringify(engine.address), { mode: 0o600 });
    log.info("container engine", {
      engine: `${engine.name} ${engine.version}`,
      at: engine.address.url,
      from: engine.address.from,
    });
    open = { outcome: "open", sandbox, images: engineImages(engine) };
    return open;
  }

  async function sweepIn(sandbox: Sandbox, keep: ReadonlySet<string>): Promise<void> {
    const swept = await sandbox.sweep(keep);
    if (swept.length > 0) log.info("ended containers of an earlier life", { count: swept.length });
  }

  /** The user has changed engines since; what runs in the other one is still ours to end. */
  async function sweepElsewhere(address: EngineAddress): Promise<void> {
    try {
      await sweepAt(address, clock, home);
    } catch (error) {
      log.error("an engine used earlier does not answer: what ran in it is not cleared away", {
        at: address.url,
        error: String(error),
      });
    }
  }

  return {
    async open() {
      if (open !== undefined) return open;
      opening ??= tryOpen()
        .catch((error: unknown): Opened => {
          return { outcome: "missing", because: error instanceof Error ? error.message : String(error) };
        })
        .finally(() => {
          opening = undefined;
        });
      return opening;
    },
    hasLeftovers: () => existsSync(note),
    async sweep(keep) {
      sweepDue = keep;
      const opened = await this.open();
      if (opened.outcome === "open") await sweepIn(opened.sandbox, keep());
    },
    async close() {
      await opening;
      if (open === undefined) return;
      await open.sandbox.close();
      // Where the engine is away, they are for whoever looks next: `down`, or the next start.
      const isEmpty = await open.sandbox.isEmpty().catch(() => false);
      if (isEmpty) await rm(note, { force: true });
    },
  };
}

/** Ends what a Drydock that was killed left in the engine it used; gives the ids. Rejects when that engine is not there. */
export async function sweepEngine(home: string, clock: Clock): Promise<readonly string[]> {
  const address = noted(noteIn(home));
  const swept = address === undefined ? [] : await sweepAt(address, clock, home);
  await rm(noteIn(home), { force: true });
  return swept;
}

async function sweepAt(address: EngineAddress, clock: Clock, home: string): Promise<readonly string[]> {
  const [{ engineSandbox }] = await parts();
  const sandbox = await engineSandbox({ engine: await ask(address), clock, instance: randomUUID(), home });
  return sandbox.sweep();
}

function noteIn(home: string): string {
  return join(home, "engine.json");
}

/** Loaded with the first container. */
function parts() {
  return Promise.all([import("./sandbox.js"), import("./images.js")]);
}

export function surroundings(): Surroundings {
  return { env: process.env, home: homedir(), platform: process.platform };
}

function noted(note: string): EngineAddress | undefined {
  try {
    return JSON.parse(readFileSync(note, "utf8")) as EngineAddress;
  } catch {
    return undefined; // none, or half written by a life that was killed: the sweep of the engine found now still runs
  }
}
