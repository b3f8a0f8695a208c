/**
 * Joins requests that wait anyway. While one call of the model runs, others queue; when it ends, those of the
 * same shape go together as the next call. Nobody waits for company: an idle model is called at once.
 */

import type { Backend, Predictions, Prepared } from "./backend.js";
import { RequestError } from "./errors.js";
import { maxQueuedRequests } from "./limits.js";

export interface Batcher<P extends Prepared> {
  submit(item: P): Promise<Predictions>;
}

interface Waiting<P> {
  readonly item: P;
  readonly resolve: (predictions: Predictions) => void;
  readonly reject: (error: unknown) => void;
}

export function batcher<P extends Prepared>(backend: Pick<Backend<P>, "run">, maxRows: number): Batcher<P> {
  let queue: Waiting<P>[] = [];
  let running = false;

  function submit(item: P): Promise<Predictions> {
    return new Promise((resolve, reject) => {
      if (queue.length >= maxQueuedRequests) {
        reject(new RequestError(503, "Too many requests are waiting for the model."));
        return;
      }
      queue.push({ item, resolve, reject });
      if (running) return;
      running = true;
      // One turn later, so that requests which arrived in the same read of the sockets share the call.
      setImmediate(drain);
    });
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const waiting = queue;
      queue = [];
      for (const group of groupsOf(waiting, maxRows)) await runGroup(group);
    }
    running = false;
  }

  async function runGroup(group: readonly Waiting<P>[]): Promise<void> {
    try {
      const answers = await backend.run(group.map((one) => one.item));
      group.forEach((one, at) => {
        one.resolve(answers[at]!);
      });
    } catch (error) {
      if (group.length === 1) {
        group[0]!.reject(error);
        return;
      }
      // One bad row fails the whole call: alone, only the request that brought it fails.
      for (const one of group) await runGroup([one]);
    }
  }

  return { submit };
}

/** Requests of one shape stay in order and share a call up to `maxRows`; a larger request is a call of its own. */
function groupsOf<P extends Prepared>(waiting: readonly Waiting<P>[], maxRows: number): Waiting<P>[][] {
  if (waiting.length === 1) return [[waiting[0]!]];
  const groups: Waiting<P>[][] = [];
  const open = new Map<string, { group: Waiting<P>[]; rows: number }>();
  for (const one of waiting) {
    const { shape, rows } = one.item;
    const joined = shape === undefined ? undefined : open.get(shape);
    if (joined !== undefined && joined.rows + rows <= maxRows) {
      joined.group.push(one);
      joined.rows += rows;
      continue;
    }
    const group = [one];
    groups.push(group);
    if (shape !== undefined) open.set(shape, { group, rows });
  }
  return groups;
}
