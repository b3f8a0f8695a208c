/**
 * Starts one program in a process group of its own. A shell writes the record first and then becomes the program,
 * so there is no moment in which a process runs unrecorded.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { PortError } from "../../ports/index.js";

export interface Launch {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: { readonly [name: string]: string };
  /** Where the pid and start time go. */
  readonly record: string;
  readonly stdin: boolean;
}

// The names are odd because an exported variable of the same name would be changed for the program too.
const recordAndBecome =
  process.platform === "linux"
    ? `IFS=" "; read -r _drydock_stat < /proc/self/stat; _drydock_record() { echo "$1 \${22}" > "$0"; };
_drydock_record $_drydock_stat || exit 126; exec "$@"`
    : 'echo "$$ $(ps -o lstart= -p $$ | tr -s " " "_" | sed "s/_$//")" > "$0" || exit 126; exec "$@"';

export async function launch({ argv, cwd, env, record, stdin }: Launch): Promise<ChildProcess> {
  const program = findProgram(argv[0], cwd, env["PATH"] ?? "");
  const child = spawn("/bin/sh", ["-c", recordAndBecome, record, program, ...argv.slice(1)], {
    cwd,
    env,
    detached: true,
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) =>
      reject(new PortError("Unknown", `cannot start a process: ${cause.message}`, { cause })),
    );
  });
  return child;
}

/** Told before the start and in the words container engines use, since a shell's "exec: not found" explains less. */
function findProgram(name: string | undefined, cwd: string, path: string): string {
  if (name === undefined || name === "") throw new PortError("Invalid", "no command specified");
  if (!isFolder(cwd)) {
    throw new PortError("Invalid", `chdir to cwd ("${cwd}") failed: no such file or directory`);
  }
  if (name.includes("/")) {
    const full = isAbsolute(name) ? name : resolve(cwd, name);
    const problem = whyNotProgram(full);
    if (problem !== undefined) throw new PortError("Invalid", `exec: "${name}": stat ${full}: ${problem}`);
    return full;
  }
  for (const folder of path.split(delimiter)) {
    const full = join(folder || ".", name);
    if (whyNotProgram(full) === undefined) return full;
  }
  throw new PortError("Invalid", `exec: "${name}": executable file not found in $PATH`);
}

function whyNotProgram(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return "is a directory";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES"
      ? "permission denied"
      : "no such file or directory";
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
