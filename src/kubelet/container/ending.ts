// How a container's end reads in status.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { Container } from "../../domain/apis/core/container.types.js";
import { isoSeconds } from "../../domain/apis/meta/time.js";
import type { ContainerExit } from "../../ports/index.js";
import { terminationMessageBytes } from "../limits.js";
import type { ContainerLogs } from "../logs/containerLogs.js";
import type { Terminated } from "../status/facts.js";

export interface Ended {
  readonly container: Container;
  readonly exit: ContainerExit;
  readonly containerID: string;
  readonly terminationLog: string;
  readonly logs: ContainerLogs;
  readonly instance: number;
}

export async function terminated(ended: Ended): Promise<Terminated> {
  const { exit, containerID } = ended;
  const words = await terminationMessage(ended);
  // What the sandbox knows comes last, where people look first.
  const message = exit.because ? [words.trimEnd(), exit.because].filter(Boolean).join("\n") : words;
  return {
    exitCode: exit.exitCode,
    ...(exit.signal !== undefined && { signal: exit.signal }),
    reason: exit.oomKilled ? "OOMKilled" : exit.exitCode === 0 ? "Completed" : "Error",
    ...(message !== "" && { message }),
    startedAt: isoSeconds(exit.startedAtMs),
    finishedAt: isoSeconds(exit.finishedAtMs),
    containerID,
  };
}

async function terminationMessage({
  container,
  exit,
  terminationLog,
  logs,
  instance,
}: Ended): Promise<string> {
  const written = firstBytes(terminationLog);
  if (written !== "" || exit.exitCode === 0) return written;
  return container.terminationMessagePolicy === "FallbackToLogsOnError" ? logs.tail(instance) : "";
}

/**
 * Synchronous: a few small calls take less than the way through the thread pool. What a program may have put there
 * instead, such as a pipe nobody writes to, is not waited for.
 */
function firstBytes(path: string): string {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(file).isFile()) return "";
    const buffer = Buffer.alloc(terminationMessageBytes);
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0)).toString();
  } catch {
    return "";
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Nothing ran, so the engine's own words are the end: exit code 128 and StartError, as containerd reports it. */
export function neverStarted(message: string, nowMs: number): Terminated {
  return {
    exitCode: 128,
    reason: "StartError",
    message,
    startedAt: isoSeconds(0),
    finishedAt: isoSeconds(nowMs),
  };
}
