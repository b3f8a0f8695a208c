// Misfortunes at the one door to the API.
import type { Kind, Resource } from "../../src/domain/apis/kind.js";
import { type Client, PortError, type PortErrorReason } from "../../src/ports/index.js";

export type Verb = "get" | "list" | "create" | "update" | "updateStatus" | "patch" | "delete";

export interface Fault {
  readonly verb: Verb;
  readonly kind: string;
  readonly reason: PortErrorReason;
  readonly message: string;
  /** How many requests it meets; for ever unless said. */
  readonly times?: number;
}

export function failOnce<T extends Resource>(
  verb: Verb,
  kind: Kind<T>,
  reason: PortErrorReason,
  message: string = reason,
): Fault {
  return { verb, kind: kind.kind, reason, message, times: 1 };
}

export function failAlways<T extends Resource>(
  verb: Verb,
  kind: Kind<T>,
  reason: PortErrorReason,
  message: string = reason,
): Fault {
  return { verb, kind: kind.kind, reason, message };
}

export interface Tally {
  /** Before a write request goes out. */
  readonly asks: () => void;
  /** After it was granted. */
  readonly wrote: () => void;
}

/** The same client, but a request that a fault is meant for is refused before anything happens. */
export function withFaults(client: Client, faults: readonly Fault[], tally: Tally): Client {
  const left = new Map(faults.map((fault) => [fault, fault.times ?? Number.POSITIVE_INFINITY]));

  function pass(verb: Verb, kind: { readonly kind: string }): void {
    for (const [fault, times] of left) {
      if (times <= 0 || fault.verb !== verb || fault.kind !== kind.kind) continue;
      left.set(fault, times - 1);
      throw new PortError(fault.reason, fault.message);
    }
  }

  async function written<A>(verb: Verb, kind: { readonly kind: string }, ask: () => Promise<A>): Promise<A> {
    tally.asks();
    pass(verb, kind);
    const answer = await ask();
    tally.wrote();
    return answer;
  }

  return {
    get: async (kind, key) => {
      pass("get", kind);
      return client.get(kind, key);
    },
    list: async (kind, within) => {
      pass("list", kind);
      return client.list(kind, within);
    },
    watch: (kind, from, signal, within) => client.watch(kind, from, signal, within),
    create: (kind, object) => written("create", kind, () => client.create(kind, object)),
    update: (kind, object) => written("update", kind, () => client.update(kind, object)),
    updateStatus: (kind, object) => written("updateStatus", kind, () => client.updateStatus(kind, object)),
    patch: (kind, key, patch, options) =>
      written("patch", kind, () => client.patch(kind, key, patch, options)),
    delete: (kind, key, options) => written("delete", kind, () => client.delete(kind, key, options)),
  };
}
