// What the writing side of the registry shares: the latest state, the counter, and the way to disk.
import type { ServingConfig } from "../../domain/apis/config/index.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import { isoSeconds } from "../../domain/apis/meta/time.js";
import type { SchemaCompiler } from "../../domain/apis/schema/index.js";
import type { Clock, Random } from "../../ports/index.js";
import type { Collection } from "./collection.js";
import type { Committer } from "./committer.js";
import type { WriteContext } from "./context.js";
import type { Happening } from "./history.js";
import type { Rule } from "./rules/rule.js";
import type { Served } from "./served.js";
import { servingConfigOf } from "./servingConfig.js";
import { keyOf, makeStored, type Stored } from "./stored.js";

export interface State {
  readonly clock: Clock;
  readonly random: Random;
  readonly freeze: boolean;
  readonly compiler: SchemaCompiler;
  readonly rules: ReadonlyMap<string, Rule>;
  readonly collection: (id: string) => Collection;
  readonly served: (kind: Pick<Kind, "group" | "version" | "plural">) => Served | undefined;
  /** As the next writer must see it. `id` is group/plural. */
  latest(id: string, namespace: string, name: string): Resource | undefined;
  nowIso(): string;
  /** What the ConfigMaps of knative-serving say now. */
  readonly config: () => ServingConfig;
  /** Sends a change to disk; it is what the next writer sees from now on, and what readers see once `done`. */
  stage(collection: Collection, type: Happening["type"], object: Resource): Staged;
  /** The revision that was staged last. */
  staged(): number;
  /** Resolves when what was staged is durable; at once for a writer that goes ahead while the disk does its work. */
  settle(staged: Staged, write: WriteContext): Promise<void> | undefined;
  /** Resolves when what was staged under a key is durable. */
  durable(collection: Collection, key: string): Promise<void>;
}

export interface Staged {
  readonly stored: Stored;
  readonly done: Promise<void>;
}

export interface StateParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly freeze: boolean;
  readonly compiler: SchemaCompiler;
  readonly rules: ReadonlyMap<string, Rule>;
  readonly collection: (id: string) => Collection;
  readonly served: State["served"];
  readonly committer: Committer;
  readonly startRevision: number;
  readonly published: (happening: Happening, collection: Collection) => void;
}

export function makeState(parts: StateParts): State {
  const { clock, committer } = parts;
  let counter = parts.startRevision;
  const underWay = new WeakMap<Collection, Map<string, Promise<void>>>();
  // Many writes share a second, and making its text costs as much as checking a small object.
  let second = Number.NaN;
  let secondIso = "";

  return {
    ...parts,
    latest: (id, namespace, name) => parts.collection(id).latest(keyOf(namespace, name))?.object,
    nowIso() {
      const nowMs = clock.now();
      const now = Math.floor(nowMs / 1000);
      if (now !== second) {
        second = now;
        secondIso = isoSeconds(nowMs);
      }
      return secondIso;
    },
    config: servingConfigOf(parts.collection("/configmaps")),

    stage(collection, type, object) {
      committer.assertRoom();
      const revision = ++counter;
      const stored = makeStored(object, revision, parts.freeze);
      const { key } = stored;
      const previous = collection.latest(key);
      const happening: Happening = { type, revision, stored, previous, atMs: clock.now() };
      collection.stage(happening);
      const done = committer.submit({
        write: {
          key: `${collection.id}/${key}`,
          revision,
          value: type === "DELETED" ? undefined : stored.json,
        },
        publish() {
          collection.publish(happening);
          parts.published(happening, collection);
        },
        undo: () => collection.unstage(happening, counter),
      });
      const waiting = underWay.get(collection) ?? new Map<string, Promise<void>>();
      underWay.set(collection, waiting);
      waiting.set(key, done);
      const forget = () => {
        if (waiting.get(key) === done) waiting.delete(key);
      };
      done.then(forget, forget);
      return { stored, done };
    },

    staged: () => counter,
    settle: ({ done }, { early }) => (early && committer.isWell() ? undefined : done),
    durable: (collection, key) => underWay.get(collection)?.get(key) ?? Promise.resolve(),
  };
}
