// A command in a container, whatever wire its streams come over.
import { PassThrough, Readable, type Writable } from "node:stream";
import type { ExecSession } from "../../ports/index.js";
import type { Call } from "../http/call.js";
import { isTrue, type ResourcePath } from "../http/path.js";
import { badRequest, type Status } from "../status.js";
import { logOptions } from "./logs.js";
import { containerOf, findPod, requireHost, runtimeOf } from "./pods.js";

export interface ExecWishes {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export function execWishes(query: URLSearchParams): ExecWishes {
  const tty = isTrue(query.get("tty"));
  return {
    stdin: isTrue(query.get("stdin")),
    stdout: isTrue(query.get("stdout")),
    stderr: isTrue(query.get("stderr")) && !tty,
    tty,
  };
}

/** Starts what was asked for; a refusal comes as an ordinary answer, before anything is upgraded. */
export async function startExec(
  call: Call,
  { namespace, name, subresource }: ResourcePath,
): Promise<ExecSession> {
  const { query } = call;
  const wishes = execWishes(query);
  if (!wishes.stdin && !wishes.stdout && !wishes.stderr) {
    throw badRequest("you must specify at least 1 of stdin, stdout, stderr");
  }
  const found = findPod(call, namespace, name);
  requireHost(found);
  const container = containerOf(found, query.get("container") ?? "");
  const runtime = runtimeOf(call);
  if (subresource === "exec") {
    const command = query.getAll("command");
    if (command.length === 0) throw badRequest("you must specify at least one command for the container");
    return kept(await runtime.exec(found.ref, { container, command, stdin: wishes.stdin, tty: wishes.tty }));
  }
  // To attach is to listen to what the container says; its stdin is nobody's.
  const abort = new AbortController();
  const options = { ...logOptions(new URLSearchParams({ follow: "true" }), name, container, 0) };
  const said = Readable.from(await runtime.logs(found.ref, options, abort.signal));
  const silence = new PassThrough();
  silence.end();
  return {
    stdin: undefined,
    stdout: said,
    stderr: silence,
    exited: new Promise((resolve) => said.once("close", () => resolve(0))),
    resize: () => {},
    kill: () => {
      abort.abort();
      said.destroy();
    },
  };
}

/** Some clients open their streams a moment after the command began; a quick command must not be over unheard. */
function kept(session: ExecSession): ExecSession {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  for (const [from, to] of [
    [session.stdout, stdout],
    [session.stderr, stderr],
  ] as const) {
    from.on("error", () => to.end());
    from.on("close", () => to.end());
    from.pipe(to);
  }
  return {
    stdin: session.stdin,
    stdout,
    stderr,
    exited: session.exited,
    resize: (width, height) => session.resize(width, height),
    kill: () => session.kill(),
  };
}

/** How a command's end is told on the error channel. */
export function exitStatus(code: number): Status {
  if (code === 0) return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" };
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(code) }] },
  };
}

/** Resolves with the exit code once the command has ended and all it said was read. */
export async function ended(session: ExecSession): Promise<number> {
  const code = await session.exited;
  await Promise.all([drained(session.stdout), drained(session.stderr)]);
  return code;
}

function drained(stream: Readable): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("end", resolve);
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
}

/** Terminals tell their size in JSON, each client with its own capitals. */
export function parseResize(text: string): { readonly width: number; readonly height: number } | undefined {
  try {
    const given = JSON.parse(text) as { readonly [name: string]: unknown };
    const sizes = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), Number(value)]));
    const [width = 0, height = 0] = [sizes.get("width"), sizes.get("height")];
    return width > 0 && height > 0 ? { width, height } : undefined;
  } catch {
    return undefined;
  }
}

/** A command that no longer listens is no reason to fail. */
export function feed(stdin: Writable | undefined): Writable | undefined {
  stdin?.on("error", () => {});
  return stdin;
}
