// Events: what happened to an object, told once and counted when it happens again.
import { Event } from "../domain/apis/core/event.types.js";
import type { Resource } from "../domain/apis/kind.js";
import { isoSeconds } from "../domain/apis/meta/time.js";
import type { Client, Clock, Log, Random, Recorder } from "../ports/index.js";
import { rememberedEvents } from "./limits.js";
import type { Quiet } from "./quiet.js";

export interface RecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Who speaks, as `kubectl describe` shows under From. */
  readonly component: string;
  /** What is told while somebody waits for a pod is told after. */
  readonly quiet?: Quiet;
}

export function makeRecorder({ client, clock, random, log, component, quiet }: RecorderOptions): Recorder {
  const told = new Map<
    string,
    { readonly name: string; count: number; readonly written: Promise<unknown> }
  >();
  let waiting: (() => Promise<void>)[] = [];
  let isTelling = false;

  async function tell(
    object: Resource,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
  ): Promise<void> {
    const namespace = object.metadata.namespace ?? "default";
    const key = keyOf(object, type, reason, message);
    const now = isoSeconds(clock.now());
    const before = told.get(key);
    if (before !== undefined) {
      before.count += 1;
      await before.written;
      const patch = { count: before.count, lastTimestamp: now };
      await client.patch(Event, { namespace, name: before.name }, patch, { type: "merge" });
      return;
    }
    const suffix = Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(12, "0");
    const name = `${object.metadata.name}.${suffix}`;
    const written = client.create(Event, {
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace: object.metadata.namespace,
        name: object.metadata.name,
        uid: object.metadata.uid,
        resourceVersion: object.metadata.resourceVersion,
      },
      type,
      reason,
      message: message.slice(0, 1024),
      source: { component },
      reportingComponent: component,
      reportingInstance: "",
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    });
    told.set(key, { name, count: 1, written });
    if (told.size > rememberedEvents) told.delete(told.keys().next().value ?? "");
    await written;
  }

  /** All that have come in meanwhile at once, in their order: they share a flush of the disk. */
  async function tellAll(): Promise<void> {
    isTelling = true;
    await (quiet?.isHurried() ? new Promise<void>((resolve) => quiet.soon(resolve)) : undefined);
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await Promise.all(batch.map((one) => one()));
    }
    isTelling = false;
  }

  return {
    event(object, type, reason, message) {
      const key = keyOf(object, type, reason, message);
      // Never in the way: the one who tells does not wait.
      waiting.push(() =>
        tell(object, type, reason, message).catch((error: unknown) => {
          told.delete(key);
          log.error("an event was lost", {
            reason,
            error: error instanceof Error ? error.message : String(error),
          });
        }),
      );
      if (!isTelling) void tellAll();
    },
  };
}

function keyOf(object: Resource, type: string, reason: string, message: string): string {
  return [object.metadata.uid, type, reason, message].join("\n");
}
