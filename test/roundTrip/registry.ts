// A registry in memory, and one write to it as a client makes it.
import { memoryStore } from "../../src/adapters/store/index.js";
import { createRegistry, type Registry } from "../../src/apiserver/index.js";
import { allKinds } from "../../src/domain/apis/kinds.js";
import { dice } from "../world/index.js";

/** How many objects each of the tests makes, over all kinds. */
export const rounds = Number(process.env["DRYDOCK_ROUNDS"] ?? 10_000);

/** What the registry would have logged lands in `logged`. */
export async function startRegistry(logged: string[] = []): Promise<Registry> {
  return createRegistry({
    store: memoryStore(),
    clock: { now: () => 1_767_225_600_000, after: () => () => {} },
    random: dice(11),
    kinds: allKinds,
    freeze: true,
    log: { info: () => {}, error: (message, fields) => logged.push(`${message} ${JSON.stringify(fields)}`) },
  });
}
