// `drydock kubeconfig`: prints it, or merges it into the one that kubectl reads.
import { chmod, copyFile, mkdir, readFile, realpath, rename, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import type { Context } from "../context.js";
import { CliError, oneLine } from "../errors.js";
import { runningInstance } from "../session.js";

interface Kubeconfig {
  apiVersion?: string;
  kind?: string;
  clusters?: Named[];
  contexts?: Named[];
  users?: Named[];
  "current-context"?: string;
}

interface Named {
  readonly name: string;
}

export async function kubeconfig(context: Context, options: { readonly merge?: boolean }): Promise<void> {
  const text = await context.instances.kubeconfig(await runningInstance(context));
  if (options.merge) await merge(context, text);
  else context.terminal.out(text);
}

async function merge({ env, userHome, terminal }: Context, text: string): Promise<void> {
  const { parse, parseDocument, stringify } = await import("yaml");
  // Of several files kubectl changes the first.
  const [named] = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  const asked = named ?? join(userHome, ".kube", "config");
  // A link, as dotfile managers make, stays a link.
  const file = await realpath(asked).catch(() => asked);
  const before = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new CliError(`cannot read ${file}: ${error.message}`);
  });
  const ours = parse(text) as Kubeconfig;
  const document = parseDocument(before ?? "");
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new CliError(
      `${file} is not valid YAML and is left alone: ${oneLine(problem.message.split("\n")[0] ?? "")}`,
    );
  }
  const theirs = (document.toJS() ?? {}) as Kubeconfig;
  const merged: Kubeconfig = {
    ...theirs,
    apiVersion: theirs.apiVersion ?? "v1",
    kind: theirs.kind ?? "Config",
    clusters: joined(theirs.clusters, ours.clusters),
    contexts: joined(theirs.contexts, ours.contexts),
    users: joined(theirs.users, ours.users),
    "current-context": "drydock",
  };
  const after = stringify(merged, { lineWidth: 0, indentSeq: false });
  if (JSON.stringify(merged) === JSON.stringify(theirs)) {
    terminal.out(`${file} already has the context "drydock" as it is now.\n`);
    return;
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  if (before !== undefined) await copyFile(file, `${file}.drydock-backup`);
  // Whole or not at all: this file may hold the way to other clusters.
  const draft = `${file}.drydock-new`;
  await writeFile(draft, after, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, file);
  const backup = before === undefined ? "" : ` What was there before is in ${file}.drydock-backup.`;
  terminal.out(`Merged into ${file}: kubectl now speaks to the context "drydock".${backup}\n`);
}

function joined(theirs: Named[] | undefined, ours: Named[] | undefined): Named[] {
  const mine = new Set((ours ?? []).map(({ name }) => name));
  const kept = (theirs ?? []).filter(({ name }) => !mine.has(name));
  return [...kept, ...(ours ?? [])];
}
