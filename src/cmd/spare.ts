/**
 * The side of a spare: a program that was started before anyone needed it. It does what takes long, then waits on a
 * pipe to be told what it is; from there on it must be the same as a process that was started so.
 */
import { Socket } from "node:net";
import { type Becoming, spareVariable } from "../ports/index.js";

const descriptor = 3;

export function isSpare(): boolean {
  return process.env[spareVariable] !== undefined;
}

/** Resolves when this process has become what it was told to be; it ends when nobody is left to tell it. */
export async function becomeTold(warmUp: () => Promise<void>): Promise<void> {
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
  // Closed when that is said: no descriptor is left that a fresh process would not have.
  pipe.write("became\n", () => pipe.destroy());
}

function lineOf(pipe: Socket): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const hear = (chunk: Buffer) => {
      said += chunk.toString("latin1");
      if (!said.endsWith("\n")) return;
      pipe.off("data", hear);
      resolve(Buffer.from(said, "latin1").toString());
    };
    pipe.on("data", hear);
  });
}
