// Group commit: while the disk works on one batch, the next one gathers. One flush then answers for many writes.
import { PortError, type Store, type StoreWrite } from "../../ports/index.js";
import { limits } from "../limits.js";
import { refusal } from "../status.js";

export interface Change {
  readonly write: StoreWrite;
  /** The write is on disk: let readers and watchers see it. */
  publish(): void;
  /** The write will never be on disk. */
  undo(): void;
}

export interface CommitFigures {
  readonly commits: number;
  readonly writes: number;
  readonly failures: number;
  readonly seconds: number;
  readonly queued: number;
  /** Why the last commit failed, until one succeeds. */
  readonly trouble: string | undefined;
}

export interface Committer {
  /** Throws when too many writes wait already. Ask before anything is staged on the answer. */
  assertRoom(): void;
  /** Resolves once the change is durable and published; changes are durable in the order they were submitted. */
  submit(change: Change): Promise<void>;
  /** Resolves when everything submitted so far is settled, one way or the other. */
  settled(): Promise<void>;
  /** Whether the last commit succeeded. */
  isWell(): boolean;
  figures(): CommitFigures;
}

interface Waiting extends Change {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function makeCommitter(store: Store, nowMs: () => number): Committer {
  let queue: Waiting[] = [];
  let flushing: Promise<void> | undefined;
  let commits = 0;
  let writes = 0;
  let failures = 0;
  let seconds = 0;
  let trouble: string | undefined;

  /** Hands the next batch over, unless one is with the disk. */
  function begin(): void {
    if (flushing !== undefined || queue.length === 0) return;
    const batch = queue.slice(0, limits.commitBatch);
    queue = queue.slice(batch.length);
    flushing = flush(batch);
  }

  async function flush(batch: readonly Waiting[]): Promise<void> {
    const startMs = nowMs();
    try {
      await store.commit(batch.map((change) => change.write));
    } catch (error) {
      failures++;
      trouble = error instanceof Error ? error.message : String(error);
      flushing = undefined;
      // Whatever was staged meanwhile may stand on what is now lost, so it goes too.
      const lost = [...batch, ...queue];
      queue = [];
      for (const change of lost) change.undo();
      for (const change of lost) change.reject(asRefusal(error));
      return;
    }
    commits++;
    writes += batch.length;
    seconds += (nowMs() - startMs) / 1000;
    trouble = undefined;
    for (const change of batch) change.publish();
    // The disk gets its next batch before those who waited for this one go on.
    flushing = undefined;
    begin();
    for (const change of batch) change.resolve();
  }

  return {
    assertRoom() {
      if (queue.length < limits.commitQueue) return;
      throw refusal("TooManyRequests", "the store cannot keep up, try again later", { retryAfterSeconds: 1 });
    },
    submit: (change) =>
      new Promise((resolve, reject) => {
        queue.push({ ...change, resolve, reject });
        // A batch worth a flush goes at once, so that writers and the disk work at the same time.
        if (queue.length >= limits.commitEarly) begin();
        // Else a turn of patience: what follows from a write in this very turn shares its flush.
        else if (queue.length === 1) setImmediate(begin);
      }),
    settled: async () => {
      begin();
      while (flushing !== undefined) await flushing;
    },
    isWell: () => trouble === undefined,
    figures: () => ({ commits, writes, failures, seconds, queued: queue.length, trouble }),
  };
}

function asRefusal(error: unknown): PortError {
  if (error instanceof PortError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new PortError("InternalError", `Internal error occurred: the store failed: ${text}`, {
    cause: error,
  });
}
