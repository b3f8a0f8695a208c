// `drydock runtimes`: which model runtimes are installed, and installing one ahead of time.
import type { Context } from "../context.js";
import { usageError } from "../errors.js";
import { columns } from "../output/columns.js";
import { progress } from "../output/live.js";
import { objectText } from "../output/objects.js";
import { sizeText } from "../size.js";

export async function listRuntimes(context: Context, options: { readonly output?: string }): Promise<void> {
  const { terminal } = context;
  const { output } = options;
  if (output !== undefined && output !== "json" && output !== "yaml")
    throw usageError("-o takes json or yaml.");
  const installer = await context.runtimes();
  const rows = await installer.list();
  if (output !== undefined) return terminal.out(await objectText(rows, output));
  const lines = columns().lines([
    ["NAME", "VERSION", "INSTALLED", "SIZE", "PATH"],
    ...rows.map(({ name, version, installed, bytes, path }) => [
      name,
      version,
      installed ? "yes" : "no",
      installed ? sizeText(bytes) : "-",
      path,
    ]),
  ]);
  terminal.out(`${lines.join("\n")}\n`);
}

export async function installRuntime(
  context: Context,
  name: string,
  options: { readonly from?: string },
): Promise<void> {
  const { terminal, signal } = context;
  const installer = await context.runtimes();
  if (!installer.names.includes(name)) {
    throw usageError(`there is no runtime "${name}": choose ${installer.names.join(" or ")}.`);
  }
  const before = (await installer.list()).find((row) => row.name === name);
  if (before?.installed) return terminal.out(`${name} is already installed in ${before.path}\n`);
  const shown = progress(terminal);
  try {
    await installer.install(name, { from: options.from, signal, onProgress: shown.say });
  } finally {
    shown.done();
  }
  const row = (await installer.list()).find((one) => one.name === name);
  terminal.out(
    `${name} ${row?.version ?? ""} is installed in ${row?.path ?? "?"} (${sizeText(row?.bytes ?? 0)})\n`,
  );
}
