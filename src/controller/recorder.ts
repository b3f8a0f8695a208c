// Events: what happened to an object, told once and counted when it happens again.
import { Event } from "../domain/apis/core/event.types.js";
import type { Resource } from "../domain/apis/kind.js";
import { isoSeconds } from "../domain/apis/meta/time.js";
import type { Client, Clock, Log, Random, Recorder } from "../ports/index.js";
import { rememberedEvents } from "./limits.js";

export interface RecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Who speaks, as `kubectl describe` shows under From. */
  readonly component: string;
}

export function makeRecorder({ client, clock, random, log, component }: RecorderOptions): Recorder {
  const told = new Map<string, { readonly name: string; count: number }>();
  let turn: Promise<void> = Promise.resolve();

  async function tell(
    object: Resource,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
  ): Promise<void> {
    const namespace = object.metadata.namespace ?? "default";
    const key = [object.metadata.uid, type, reason, message].join("\n");
    const now = isoSeconds(clock.now());
    const before = told.get(key);
    if (before !== undefined) {
      before.count += 1;
      const patch = { count: before.count, lastTimestamp: now };
      await client.patch(Event, { namespace, name: before.name }, patch, { type: "merge" });
      return;
    }
    const suffix = Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(12, "0");
    const name = `${object.metadata.name}.${suffix}`;
    await client.create(Event, {
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
    told.set(key, { name, count: 1 });
    if (told.size > rememberedEvents) told.delete(told.keys().next().value ?? "");
  }

  return {
    event(object, type, reason, message) {
      // In order, and never in the way: the one who tells does not wait.
      turn = turn
        .then(() => tell(object, type, reason, message))
        .catch((error: unknown) => {
          told.delete([object.metadata.uid, type, reason, message].join("\n"));
          log.error("an event was lost", {
            reason,
            error: error instanceof Error ? error.message : String(error),
          });
        });
    },
  };
}
