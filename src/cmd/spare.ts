/**
 * The side of a spare: a program that was started before anyone needed it. It does what takes long, then waits on a
 * pipe to be told what it is; from there on it must be the same as a process that was started so.
 */
import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { systemClock } from "../adapters/clock/index.js";
import { type Becoming, spareVariable } from "../ports/index.js";
import { keepCode } from "./keepCode.js";

const descriptor = 3;
/** What it was told is to end soon, and somebody waits for that. */
let saysItsEnd = false;

export function isSpare(): boolean {
  return process.env[spareVariable] !== undefined;
}

/**
 * Resolves when this process has become what it was told to be; it ends when nobody is left to tell it. One that is
 * to end with `leave` keeps the pipe for its last word.
 */
export async function becomeTold(warmUp: () => Promise<void>, ends: "leaves" | "whenever"): Promise<void> {
  keepCode();
  const pipe = new Socket({ fd: descriptor, readable: true, writable: true });
  const nobody = () => process.exit(0);
  pipe.once("end", nobody);
  pipe.once("error", nobody);
  await warmUp();
  const told = lineOf(pipe);
  pipe.write("ready\n");
  const { argv, env, cwd } = JSON.parse(await told) as Becoming;
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv.splice(0, process.argv.length, ...argv);
  process.chdir(cwd);
  pipe.off("end", nobody);
  pipe.off("error", nobody);
  pipe.on("error", () => {}); // it was told; what becomes of the pipe is nobody's concern
  saysItsEnd = ends === "leaves";
  const word = `became ${systemClock().now()}\n`;
  if (saysItsEnd) {
    pipe.unref();
    writeSync(descriptor, word);
  }
  // Closed when that is said: no descriptor is left that a fresh process would not have.
  else pipe.write(word, () => pipe.destroy());
}

/**
 * Ends this process, all output being written. Taking a process of Node's apart takes the kernel some milliseconds; who
 * waits for this one to have done its part need not wait for those.
 */
export function leave(exitCode: number): never {
  if (saysItsEnd) {
    for (const output of [1, 2]) closeSync(output);
    writeSync(descriptor, `exit ${exitCode}\n`);
  }
  process.exit(exitCode);
}

/** The first line that says anything. An empty one only wakes: the machine has this process at hand when it is told. */
function lineOf(pipe: Socket): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString("latin1")).trimStart();
      if (!said.endsWith("\n")) return;
      pipe.off("data", hear);
      resolve(Buffer.from(said, "latin1").toString());
    };
    pipe.on("data", hear);
  });
}
