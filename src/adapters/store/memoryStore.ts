// A store that forgets when the process ends: for tests, and for worlds that need not outlive it.
import { PortError, type Store, type StoreWrite } from "../../ports/index.js";

export function memoryStore(): Store {
  const entries = new Map<
    string,
    { readonly key: string; readonly revision: number; readonly value: string }
  >();
  let revision = 0;
  let closed = false;

  return {
    load: async () => ({ revision, entries: [...entries.values()] }),
    async commit(batch: readonly StoreWrite[]) {
      if (closed) throw new PortError("ServiceUnavailable", "the store is closed");
      for (const { key, revision: at, value } of batch) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, { key, revision: at, value });
        revision = Math.max(revision, at);
      }
    },
    compact: async () => {},
    close: async () => {
      closed = true;
    },
  };
}
