// `drydock down`: ends the instance and all that belongs to it; nothing to end is as good.
import type { Context } from "../context.js";

export async function down({ terminal, instances }: Context): Promise<void> {
  const outcome = await instances.stop((line) => terminal.err(`${line}\n`));
  terminal.out(
    outcome === "stopped" ? "Drydock is stopped.\n" : `Drydock is not running in ${instances.home}.\n`,
  );
}
