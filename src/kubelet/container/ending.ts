// How a container's end reads in status.
import { open } from "node:fs/promises";
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
  const written = await firstBytes(terminationLog);
  if (written !== "" || exit.exitCode === 0) return written;
  return container.terminationMessagePolicy === "FallbackToLogsOnError" ? logs.tail(instance) : "";
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { bytesRead, buffer } = await file.read(
      Buffer.alloc(terminationMessageBytes),
      0,
      terminationMessageBytes,
      0,
    );
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
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
