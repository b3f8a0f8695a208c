// What the storage initializer does from its arguments to its exit code, whatever process it runs in.
import { writeFileSync } from "node:fs";
import { StorageError } from "./errors.js";
import { initializeStorage, type Pair } from "./initialize.js";
import { seedLog } from "./log.js";

type Env = Readonly<Record<string, string | undefined>>;

export interface Surroundings {
  readonly env: Env;
  readonly signal: AbortSignal;
  /** Takes one line of output; the order of lines is what the last one means. */
  readonly say: (line: string) => void;
  /** Drydock's own, which registries are told. */
  readonly version: string;
}

const usage = "Usage: initializer-entrypoint src_uri_0 dest_path_0 [src_uri_1 dest_path_1 ...]";

/** What a shell reports for a process ended by SIGTERM. */
const terminatedExitCode = 143;

/** Never rejects: what went wrong is said, and left where the container's last words are looked for. */
export async function runInitializer(args: readonly string[], around: Surroundings): Promise<number> {
  const { env, signal, say, version } = around;
  const log = seedLog(say);
  const fail = (because: string): number => {
    const file = env["DRYDOCK_TERMINATION_LOG"];
    try {
      if (file) writeFileSync(file, because);
    } catch {
      // The line said is what is left to say it with.
    }
    say(because);
    return 1;
  };
  const pairs = pairsOf(args, env);
  if (pairs === undefined) return fail(usage);
  try {
    await initializeStorage(pairs, { log, signal, env, version });
    return 0;
  } catch (error) {
    if (signal.aborted) return terminatedExitCode;
    const known = error instanceof StorageError;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const what = known ? "Storage initialization failed" : "Unexpected error during storage initialization";
    log("initializer-entrypoint:21", `${what}: ${oneLine(message)}`, "E");
    return fail(`${name}: ${oneLine(message)}`);
  }
}

export function pairsOf(args: readonly string[], env: Env): readonly Pair[] | undefined {
  if (args.length === 0 || args.length % 2 !== 0) return undefined;
  // The folders of this machine are not the ones a user wrote: each pair may have a label to show instead.
  const labels = (env["DRYDOCK_MODEL_DIR_LABEL"] ?? "").split(":");
  return Array.from({ length: args.length / 2 }, (_, at) => {
    const dest = args[at * 2 + 1]!;
    return { uri: args[at * 2]!, dest, label: labels[at] || dest };
  });
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}
