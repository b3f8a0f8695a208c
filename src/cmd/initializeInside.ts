// The storage initializer within Drydock's own process, for a model that is there in a moment: a process of its own
// would take longer to be told what to fetch than to fetch it.
import { fileURLToPath } from "node:url";
import { atHand, pairsOf, runInitializer } from "../adapters/storage/index.js";
import type { InsideProgram } from "../ports/index.js";
import { version } from "./version.js";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));

export function initializeInside(): InsideProgram {
  const isAtHand = atHand();
  return async (args, given) => {
    const env = { DRYDOCK_EXAMPLES: examples, ...given };
    const pairs = pairsOf(args, env);
    if (pairs === undefined || !(await isAtHand(pairs, env))) return undefined;
    return ({ signal, say }) => runInitializer(args, { env, signal, say, version });
  };
}
