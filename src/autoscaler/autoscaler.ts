/**
 * Collects counts into windows and asks the domain how many pods they mean: a decider for each PodAutoscaler, every two
 * seconds, and at once when the first request for a sleeping Revision is reported. All state is memory: after a restart
 * the first counts bring it back.
 */
import type { PodAutoscaler } from "../domain/apis/autoscaling/podAutoscaler.types.js";
import type { AutoscalerConfig } from "../domain/apis/config/index.js";
import type { Pod } from "../domain/apis/core/pod.types.js";
import { serving } from "../domain/apis/serving/keys.js";
import {
  type Decider,
  makeDecider,
  type RevisionStat,
  scalingSettings,
} from "../domain/autoscaling/index.js";
import type { Clock, Deciders, Key, Lister } from "../ports/index.js";
import { figuresOf } from "./figures.js";
import { scrapeMs } from "./limits.js";
import { countPods, type PodCounts } from "./podCounts.js";

export interface AutoscalerOptions {
  readonly clock: Clock;
  readonly pods: Lister<Pod>;
  readonly config: () => AutoscalerConfig;
  /** Somebody waits for a Revision that sleeps: called before anyone acts on it. */
  readonly onWake?: (key: Key) => void;
}

export interface Autoscaler {
  readonly deciders: Deciders;
  /** Takes what the data plane counted. */
  record(stats: readonly RevisionStat[]): void;
  /** Lines for /metrics. */
  figures(): readonly string[];
  close(): void;
}

export interface Scaled {
  readonly key: Key;
  readonly decider: Decider;
  autoscaler: PodAutoscaler;
}

export function startAutoscaler({ clock, pods, config, onWake }: AutoscalerOptions): Autoscaler {
  const all = new Map<string, Scaled>();
  /** Those with pods or counts. For whoever sleeps there is nothing to do until a count comes. */
  const awake = new Set<Scaled>();
  const listeners: ((key: Key) => void)[] = [];
  let cancel: (() => void) | undefined;

  const countsOf = ({ namespace, name }: Key): PodCounts =>
    countPods(pods.list({ namespace, labels: { [serving.revision]: name } }));

  function wake(one: Scaled): void {
    awake.add(one);
    cancel ??= clock.after(scrapeMs, pass);
  }

  function decide(one: Scaled, ready: number): void {
    if (one.decider.tick(ready, clock.now())) for (const hear of listeners) hear(one.key);
  }

  function pass(): void {
    cancel = undefined;
    const nowMs = clock.now();
    for (const one of [...awake]) {
      const { decider } = one;
      const { ready } = countsOf(one.key);
      // The gateway reports all that it sends to pods: pods that it does not speak of are idle. So is a Revision
      // that never came up, once nobody has asked for it all through the window. A gateway too busy to speak is neither.
      const forgotten = decider.wish.desiredScale > 0 && decider.isSilent(nowMs);
      const idle = (ready > 0 && !decider.expectsMore(nowMs)) || forgotten;
      if (idle && decider.settings.burstCapacity !== -1) decider.recordIdle(nowMs);
      if (decider.isDue(nowMs)) decide(one, ready);
      if (ready === 0 && decider.wish.desiredScale <= 0 && decider.isSilent(nowMs)) awake.delete(one);
    }
    if (awake.size > 0) cancel ??= clock.after(scrapeMs, pass);
  }

  return {
    deciders: {
      ensure(autoscaler) {
        const { namespace = "", name } = autoscaler.metadata;
        const key = { namespace, name };
        const settings = scalingSettings(autoscaler, config());
        let one = all.get(textOf(key));
        if (one === undefined) {
          one = {
            key,
            autoscaler,
            decider: makeDecider(settings, countsOf(key).ready, clock.now()),
          };
          all.set(textOf(key), one);
        } else {
          one.autoscaler = autoscaler;
          one.decider.update(settings);
        }
        wake(one);
        return one.decider.wish;
      },
      remove(key) {
        const one = all.get(textOf(key));
        if (one === undefined) return;
        all.delete(textOf(key));
        awake.delete(one);
      },
      onChange: (hear) => {
        listeners.push(hear);
      },
    },
    record(stats) {
      const nowMs = clock.now();
      for (const stat of stats) {
        const one = all.get(textOf(stat));
        // Counts of a Revision that nobody scales, or that is gone.
        if (one === undefined) continue;
        one.decider.record(stat, nowMs);
        wake(one);
        // Upstream waits for its next tick where nothing was decided yet; whoever slept through our restart need not.
        if (stat.averageConcurrentRequests > 0 && one.decider.wish.desiredScale <= 0) {
          onWake?.(one.key);
          decide(one, countsOf(one.key).ready);
        }
      }
    },
    figures: () => figuresOf([...all.values()], countsOf, clock.now()),
    close() {
      cancel?.();
      awake.clear();
    },
  };
}

function textOf({ namespace, name }: Key): string {
  return `${namespace}/${name}`;
}
