/**
 * The command line: a guest of the API like any other client. Give it the words after `drydock` and a context; it
 * answers with an exit code: 0 done, 1 failed, 2 called wrongly.
 */
import { CommanderError } from "commander";
import type { Context } from "./context.js";
import { CliError, errorLine, exitCodes, Quiet } from "./errors.js";
import { grammarExit, makeProgram } from "./program.js";

export type {
  Api,
  ApiRequest,
  Context,
  Instance,
  Instances,
  ModelAnswer,
  ModelRequest,
  PrivateInstance,
  RuntimeInstaller,
  Say,
  Started,
  StartOptions,
  Terminal,
  Tool,
} from "./context.js";
export { CliError } from "./errors.js";

export async function runCli(words: readonly string[], context: Context): Promise<number> {
  const { terminal, env, signal } = context;
  try {
    await makeProgram(context).parseAsync([...words], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      const { code, line } = grammarExit(error, words);
      if (line !== undefined) terminal.err(`${line}\n`);
      return code;
    }
    if (error instanceof Quiet) return error.exitCode;
    if (signal.aborted) return exitCodes.interrupted;
    terminal.err(`${errorLine(error)}\n`);
    if (env["DRYDOCK_DEBUG"] === "1" && error instanceof Error) terminal.err(`${error.stack ?? ""}\n`);
    return error instanceof CliError ? error.exitCode : exitCodes.failure;
  }
}
