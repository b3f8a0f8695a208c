// `drydock version`: of the program, and of the server when one runs.
import type { Context } from "../context.js";
import { usageError } from "../errors.js";
import { objectText } from "../output/objects.js";

export async function printVersion(context: Context, options: { readonly output?: string }): Promise<void> {
  const { terminal, version, instances } = context;
  const { output } = options;
  if (output !== undefined && output !== "json" && output !== "yaml")
    throw usageError("-o takes json or yaml.");
  const server = (await instances.find())?.version;
  if (output !== undefined)
    return terminal.out(await objectText({ client: version, ...(server && { server }) }, output));
  terminal.out(`drydock ${version}\n${server === undefined ? "" : `server  ${server}\n`}`);
}
