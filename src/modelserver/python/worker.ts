// One Python process and the calls it owes an answer. When it dies, every one of them hears why.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import type { BackendDeath } from "../backend.js";
import { inferenceError, StartupError } from "../errors.js";
import { stderrTailBytes, workerLastWordsMs, workerStartMs, workerStopMs } from "../limits.js";
import { encodeFrame, type Frame, frameReader } from "./frames.js";

export interface WorkerOptions {
  readonly python: string;
  readonly script: string;
  readonly onLog: (line: string) => void;
}

/** What a worker is to be once it has its model; without one it keeps what it was started with. */
export interface WorkerModel {
  readonly path: string;
  /** The path as a user knows it. */
  readonly label: string;
}

export interface Worker {
  readonly died: Promise<BackendDeath>;
  /** Imports what most models need; resolves when that is done. */
  warmUp(): Promise<void>;
  /** Loads the model, in this process's environment and folder as they are now; gives what the worker says of it. */
  load(model: WorkerModel): Promise<Readonly<Record<string, unknown>>>;
  call(header: Readonly<Record<string, unknown>>, payload: Uint8Array): Promise<Frame>;
  close(): Promise<void>;
}

interface Owed {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

/** Descriptor 3 carries messages; stdout stays the model's own. */
const channelDescriptor = 3;

export function startWorker(options: WorkerOptions): Worker {
  const child = spawn(options.python, ["-u", options.script], {
    stdio: ["ignore", "inherit", "pipe", "pipe"],
  });
  const channel = child.stdio[channelDescriptor] as Duplex;
  const owed = new Map<number, Owed>();
  const tail = keepTail(child);
  let nextId = 1;
  let death: BackendDeath | undefined;
  let onNews: ((frame: Frame) => void) | undefined;

  const died = new Promise<BackendDeath>((resolve) => {
    const die = (because: string, exitCode: number) => {
      if (death !== undefined) return;
      death = { because, exitCode };
      for (const { reject } of owed.values()) reject(inferenceError(because));
      owed.clear();
      resolve(death);
    };
    child.once("error", (error) => die(`Python cannot be started (${options.python}): ${error.message}`, 1));
    const dieOf = (code: number | null, signal: NodeJS.Signals | null) =>
      die(causeOf(code, signal, tail()), exitCodeOf(code, signal));
    // The last words may still be in the pipe; but a process the model left behind can hold it open for ever.
    child.once("exit", (code, signal) => setTimeout(dieOf, workerLastWordsMs, code, signal));
    child.once("close", dieOf);
  });

  channel.on("error", () => {
    // The child is gone or going; its exit tells why.
  });
  const read = frameReader((frame) => {
    const { id, log } = frame.header;
    if (typeof log === "string") options.onLog(log);
    else if (typeof id !== "number") onNews?.(frame);
    else {
      owed.get(id)?.resolve(frame);
      owed.delete(id);
    }
  });
  channel.on("data", (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      options.onLog(`The Python worker sent what is no message: ${(error as Error).message}`);
      child.kill("SIGKILL");
    }
  });

  /** Sends what has no number and waits for the answer that has none. */
  async function order(header: Readonly<Record<string, unknown>>): Promise<Frame | BackendDeath | "late"> {
    const news = new Promise<Frame>((resolve) => {
      onNews = resolve;
    });
    if (death === undefined) channel.write(encodeFrame(header, new Uint8Array(0)));
    const answer = await Promise.race([news, died, wait(workerStartMs, "late" as const, { ref: false })]);
    if (answer === "late") child.kill("SIGKILL");
    return answer;
  }

  async function warmUp(): Promise<void> {
    const answer = await order({ op: "warm" });
    if (answer === "late" || "because" in answer)
      throw new StartupError("The Python worker did not warm up.");
  }

  async function load({ path, label }: WorkerModel): Promise<Readonly<Record<string, unknown>>> {
    const answer = await order({ op: "load", path, env: process.env, cwd: process.cwd() });
    if (answer === "late") {
      throw new StartupError(`Model file ${label} was not loaded within ${workerStartMs / 1000} s.`);
    }
    if ("because" in answer) {
      throw new StartupError(`Model file ${label} cannot be loaded: ${answer.because}`);
    }
    const { fatal } = answer.header;
    if (typeof fatal === "string") {
      throw new StartupError(`Model file ${label} cannot be loaded: ${fatal.replaceAll(path, label)}`);
    }
    return answer.header;
  }

  function call(header: Readonly<Record<string, unknown>>, payload: Uint8Array): Promise<Frame> {
    return new Promise((resolve, reject) => {
      if (death !== undefined) {
        reject(inferenceError(death.because));
        return;
      }
      const id = nextId++;
      owed.set(id, { resolve, reject });
      channel.write(encodeFrame({ ...header, id }, payload));
    });
  }

  async function close(): Promise<void> {
    channel.end();
    const left = await Promise.race([died, wait(workerStopMs, "late" as const, { ref: false })]);
    if (left === "late") child.kill("SIGKILL");
  }

  return { died, warmUp, load, call, close };
}

/** Passes the worker's stderr on, and keeps the end of it. */
function keepTail(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    process.stderr.write(text);
    tail = (tail + text).slice(-stderrTailBytes);
  });
  return () => tail;
}

function causeOf(code: number | null, signal: NodeJS.Signals | null, stderr: string): string {
  if (signal === "SIGKILL")
    return "The Python worker was killed (SIGKILL), most often for using too much memory.";
  if (signal !== null) return `The Python worker was ended by ${signal}.`;
  const said = stderr.trimEnd().split("\n").at(-1)?.trim();
  return `The Python worker exited with code ${code}${said ? `: ${said}` : "."}`;
}

/** As a shell reports it, so that a worker killed for memory shows as 137 all the way up. */
function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? code || 1 : 128 + constants.signals[signal];
}
