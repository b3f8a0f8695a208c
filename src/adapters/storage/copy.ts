/**
 * Files as a pod gets them: clones where the file system can, which cost nothing, and copies where it cannot. A small
 * one is done without leaving the thread; a large one leaves room for being told to stop.
 */
import { createHash } from "node:crypto";
import { constants, copyFileSync, createReadStream, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { copiedAtOnceBytes } from "./limits.js";

export async function copyOfFile(from: string, to: string, bytes: number): Promise<void> {
  if (bytes <= copiedAtOnceBytes) copyFileSync(from, to, constants.COPYFILE_FICLONE);
  else await copyFile(from, to, constants.COPYFILE_FICLONE);
}

export async function sha256OfFile(path: string, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  if (bytes <= copiedAtOnceBytes) return hash.update(readFileSync(path)).digest("hex");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
