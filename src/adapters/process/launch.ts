/**
 * Starts one program in a process group of its own. A shell writes the record first and then becomes the program,
 * so there is no moment in which a process runs unrecorded.
 */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { PortError } from "../../ports/index.js";
import type { Spares } from "./spares.js";

export interface Launch {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: { readonly [name: string]: string };
  /** Where the pid and start time go. */
  readonly record: string;
  readonly stdin: boolean;
}

const recordSelf =
  process.platform === "linux"
    ? `read -r stat < /proc/self/stat; note() { echo "$1 \${22}" > "$file"; }; note $stat || exit 126`
    : 'echo "$$ $(ps -o lstart= -p $$ | tr -s " " "_" | sed "s/_$//")" > "$file" || exit 126';

export async function launch(wish: Launch, spares: Spares): Promise<ChildProcess> {
  const words = wordsOf(wish);
  const spare = wish.stdin ? undefined : spares.take(script(wish, words.map(quoted).join(" ")));
  if (spare !== undefined) return spare;
  const child = spawnRecorded(wish, words, [wish.stdin ? "pipe" : "ignore", "pipe", "pipe"]);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) =>
      reject(new PortError("Unknown", `cannot start a process: ${cause.message}`, { cause })),
    );
  });
  return child;
}

/** The words of a program that is known to be there; throws what users read when it is not. */
export function wordsOf(wish: Launch): readonly string[] {
  return becoming(wish, findProgram(wish.argv[0], wish.cwd, wish.env["PATH"] ?? ""));
}

export function spawnRecorded(wish: Launch, words: readonly string[], stdio: StdioOptions): ChildProcess {
  // Words as words, not in the script: one argument of a program may not be longer than 128 KB.
  return spawn("/bin/sh", ["-c", script(wish, '"$@"'), "sh", ...words], {
    env: {},
    cwd: "/",
    detached: true,
    stdio,
  });
}

function script({ record, cwd }: Launch, words: string): string {
  return `file=${quoted(record)}\n${recordSelf}\ncd ${quoted(cwd)} || exit 126\nexec ${words}\n`;
}

/** `env` sets what a shell would refuse to: names such as host-headers. It takes any word with "=" for a setting. */
function becoming({ argv, env }: Launch, program: string): readonly string[] {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const guard = program.includes("=") ? ["/bin/sh", "-c", 'exec "$@"', "sh"] : [];
  return ["/usr/bin/env", "-i", ...settings, ...guard, program, ...argv.slice(1)];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
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
