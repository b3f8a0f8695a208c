/**
 * Programs started ahead of time, each in a process group of its own: loaded, rehearsed, and waiting on a pipe to be
 * told what to become. Most of a cold start is loading; a spare has that behind it. Whatever befalls a spare, the
 * start that would have taken it happens the usual way.
 */
import type { ChildProcess } from "node:child_process";
import { renameSync, rmSync, statSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Becoming, ResolvedImage } from "../../ports/index.js";
import { type Launch, spawnRecorded, wordsOf } from "./launch.js";
import {
  becomeMs,
  programRefillLatestMs,
  programRefillMs,
  programTries,
  sparesBytes,
  sparesFreeShare,
  sparesLookMs,
  sparesUnusedMs,
} from "./limits.js";
import type { ProcessTable } from "./processTable.js";
import { sparePrefix } from "./records.js";
import { signalGroup } from "./signals.js";
import { setReferenced } from "./spares.js";

export interface Programs {
  /** Has some of it waiting, as if one had been taken. */
  warm(image: ResolvedImage): void;
  /** One of it is told in a moment: after an idle while, neither its code nor the machine has it at hand. */
  stir(image: ResolvedImage): void;
  /** A waiting process of the image's entrypoint that has become this; undefined when there is none that could. */
  take(image: ResolvedImage, wish: Launch): Promise<Taken | undefined>;
  close(): void;
}

export interface Taken {
  readonly child: ChildProcess;
  /** The name its first environment knows it by. */
  readonly name: string;
  /** By its own account, which may be heard a while later. */
  readonly startedAtMs: number;
  /** What loading had cost. */
  readonly cpuMs: number;
  /** Resolves with the exit code when it says that it is about to end, all output being written. */
  readonly saidExit: Promise<number>;
}

export interface ProgramsOptions {
  readonly table: ProcessTable;
  /** Where records of running processes are kept. */
  readonly folder: string;
  /** The environment of a spare until it is told another. */
  readonly envOf: (image: ResolvedImage, name: string) => { readonly [name: string]: string };
  readonly now: () => number;
  /** How many of a kind wait; none is a choice too. */
  readonly each: number;
}

/** One kind of program, and those of it that wait. */
interface Program {
  readonly image: ResolvedImage;
  readonly waiting: Set<Spare>;
  lastUsedMs: number;
  failures: number;
  /** As the latest one measured. */
  memoryBytes: number;
}

interface Spare {
  readonly name: string;
  readonly child: ChildProcess;
  readonly pipe: Duplex;
  readonly record: string;
  readonly env: { readonly [name: string]: string };
  /** The program's file as it was when this one was started. */
  readonly file: string;
  cpuMs: number;
  memoryBytes: number;
  /** What it said that nobody has heard yet. */
  said: string;
  /** Called with each line it says, and with nothing once it is gone; while nobody hears, lines wait. */
  hear: ((line: string | undefined) => void) | undefined;
}

/** What programs, their libraries and the loader read once, at their start: a spare cannot be told these. */
const readAtStart =
  /^(NODE|LD_|UV_|OPENSSL|SSL_|MALLOC_|GLIBC_|OMP_|KMP_|GOMP_|OPENBLAS|MKL_|BLIS_|NUMEXPR|PYTHON|ORT_|SKLEARN|SCIPY|NPY_|NUMPY|JOBLIB|LOKY|LC_|LANG|ICU_|TZ|ASAN_)/;

export function keepPrograms({ table, folder, envOf, now, each }: ProgramsOptions): Programs {
  const programs = new Map<string, Program>();
  let made = 0;
  let loading: Spare | undefined;
  let refilling: { readonly timer: NodeJS.Timeout; readonly askedMs: number } | undefined;
  let looking: NodeJS.Timeout | undefined;
  let isClosed = false;

  function programOf(image: ResolvedImage): Program {
    const key = JSON.stringify([image.digest, image.entrypoint, image.env]);
    const known = programs.get(key);
    if (known !== undefined) return known;
    const program: Program = { image, waiting: new Set(), lastUsedMs: now(), failures: 0, memoryBytes: 0 };
    programs.set(key, program);
    return program;
  }

  function add(program: Program): void {
    const { image } = program;
    const name = `${sparePrefix}${++made}`;
    const record = join(folder, `${name}.pid`);
    const env = envOf(image, name);
    const wish: Launch = { argv: image.entrypoint, cwd: "/", env, record, stdin: false };
    const file = fileOf(image);
    const child = spawnRecorded(wish, wordsOf(wish), ["ignore", "pipe", "pipe", "pipe"]);
    const pipe = child.stdio[3] as Duplex;
    const spare: Spare = {
      name,
      child,
      pipe,
      record,
      env,
      file,
      cpuMs: 0,
      memoryBytes: 0,
      said: "",
      hear: undefined,
    };
    loading = spare;
    const isDone = (isReady: boolean) => {
      if (loading === spare) loading = undefined;
      if (isReady) program.failures = 0;
      else program.failures += 1;
      refillSoon(0);
    };
    spare.hear = (line) => {
      if (line !== "ready") {
        isDone(false);
        return end(program, spare);
      }
      spare.hear = () => end(program, spare);
      void measure(program, spare).then(() => isDone(true));
    };
    pipe.on("data", (chunk: Buffer) => {
      spare.said += chunk.toString();
      readOut(spare);
    });
    const gone = () => spare.hear?.(undefined);
    pipe.on("error", gone);
    pipe.once("close", gone);
    child.once("error", gone);
    child.once("exit", gone);
    setReferenced(child, false);
  }

  /** What it cost to load, so that the container it becomes is not charged for it. */
  async function measure(program: Program, spare: Spare): Promise<void> {
    const mine = (await table.rows().catch(() => [])).filter(({ group }) => group === spare.child.pid);
    if (isClosed || mine.length === 0) return end(program, spare);
    spare.cpuMs = mine.reduce((total, row) => total + row.cpuMs, 0);
    spare.memoryBytes = mine.reduce((total, row) => total + row.memoryBytes, 0);
    program.memoryBytes = spare.memoryBytes;
    program.waiting.add(spare);
    looking ??= setInterval(look, sparesLookMs).unref();
  }

  function end(program: Program, spare: Spare): void {
    program.waiting.delete(spare);
    spare.hear = () => {};
    // The group is named by a pid that is free for reuse once its leader was buried.
    if (spare.child.exitCode === null && spare.child.signalCode === null && spare.child.pid !== undefined)
      signalGroup(spare.child.pid, "SIGKILL");
    for (const stream of spare.child.stdio) stream?.destroy();
    rmSync(spare.record, { force: true });
  }

  function look(): void {
    for (const program of programs.values()) {
      const isUnused = now() - program.lastUsedMs > sparesUnusedMs;
      for (const spare of program.waiting) if (isUnused || isShort()) end(program, spare);
    }
    if ([...programs.values()].some(({ waiting }) => waiting.size > 0)) return;
    clearInterval(looking);
    looking = undefined;
  }

  /** One at a time, the latest used first. */
  function refill(): void {
    refilling = undefined;
    if (isClosed || loading !== undefined || isShort()) return;
    const held = [...programs.values()].flatMap(({ waiting }) => [...waiting]);
    const bytes = held.reduce((total, { memoryBytes }) => total + memoryBytes, 0);
    const [next] = [...programs.values()]
      .filter(
        ({ waiting, failures, memoryBytes, lastUsedMs }) =>
          waiting.size < each &&
          failures < programTries &&
          now() - lastUsedMs <= sparesUnusedMs &&
          (waiting.size === 0 || bytes + memoryBytes <= sparesBytes),
      )
      .sort((one, other) => one.waiting.size - other.waiting.size || other.lastUsedMs - one.lastUsedMs);
    if (next !== undefined) add(next);
  }

  function refillSoon(ms = programRefillMs): void {
    if (isClosed) return;
    const askedMs = refilling?.askedMs ?? performance.now();
    if (refilling !== undefined && performance.now() - askedMs > programRefillLatestMs) return;
    clearTimeout(refilling?.timer);
    refilling = { timer: setTimeout(refill, ms).unref(), askedMs };
  }

  /** When it had become that; undefined when it could not, and is gone. */
  function told(spare: Spare, { argv, env, cwd }: Launch): Promise<number | undefined> {
    return new Promise((resolve) => {
      const late = setTimeout(() => spare.hear?.(undefined), becomeMs);
      spare.hear = (line) => {
        spare.hear = undefined;
        clearTimeout(late);
        const [, atMs] = /^became (\d+)$/.exec(line ?? "") ?? [];
        resolve(atMs === undefined ? undefined : Number(atMs));
      };
      spare.pipe.write(`${JSON.stringify({ argv, env, cwd } satisfies Becoming)}\n`);
    });
  }

  const isWarm = (image: ResolvedImage) =>
    image.warms === true && !isClosed && each > 0 && process.platform === "linux";

  return {
    warm(image) {
      if (!isWarm(image)) return;
      programOf(image).lastUsedMs = now();
      refillSoon();
    },
    stir({ digest }) {
      for (const { image, waiting } of programs.values()) {
        const [next] = waiting;
        if (image.digest === digest) next?.pipe.write("\n");
      }
    },
    async take(image, wish) {
      if (!isWarm(image) || wish.stdin) return undefined;
      wordsOf(wish);
      const program = programOf(image);
      program.lastUsedMs = now();
      refillSoon();
      const file = fileOf(image);
      for (const spare of program.waiting) {
        if (spare.file !== file) end(program, spare);
        if (spare.file !== file || startsOtherwise(spare.env, wish.env)) continue;
        program.waiting.delete(spare);
        // Under its new name before it is told: at no moment does a process run unrecorded.
        const startedAtMs = renamed(spare.record, wish.record) ? await told(spare, wish) : undefined;
        if (startedAtMs === undefined) {
          end(program, spare);
          continue;
        }
        setReferenced(spare.child, true);
        const { child, name, cpuMs } = spare;
        return { child, name, cpuMs, startedAtMs, saidExit: saidExit(spare) };
      }
      return undefined;
    },
    close() {
      isClosed = true;
      clearTimeout(refilling?.timer);
      clearInterval(looking);
      for (const program of programs.values()) for (const spare of program.waiting) end(program, spare);
      loading?.hear?.(undefined);
    },
  };
}

function saidExit(spare: Spare): Promise<number> {
  return new Promise((resolve) => {
    spare.hear = (line) => {
      const [, exitCode] = /^exit (\d+)$/.exec(line ?? "") ?? [];
      if (exitCode !== undefined) resolve(Number(exitCode));
      spare.pipe.destroy();
    };
    readOut(spare);
  });
}

function readOut(spare: Spare): void {
  for (
    let end = spare.said.indexOf("\n");
    end >= 0 && spare.hear !== undefined;
    end = spare.said.indexOf("\n")
  ) {
    const line = spare.said.slice(0, end);
    spare.said = spare.said.slice(end + 1);
    spare.hear(line);
  }
}

function isShort(): boolean {
  return freemem() < totalmem() * sparesFreeShare;
}

/** The same text for the same program; another once it was installed anew. */
function fileOf({ entrypoint }: ResolvedImage): string {
  return entrypoint
    .filter((word) => word.startsWith("/"))
    .map((path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? "" : `${found.ino} ${found.size} ${found.mtimeMs}`;
    })
    .join();
}

function startsOtherwise(
  now: { readonly [name: string]: string },
  then: { readonly [name: string]: string },
): boolean {
  return [...new Set([...Object.keys(now), ...Object.keys(then)])].some(
    (name) => readAtStart.test(name) && now[name] !== then[name],
  );
}

function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
