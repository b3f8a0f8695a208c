// What of a Route's traffic is on its way: the state lives on the KIngress, the pace comes from the Route.
import { parseDuration } from "../../../domain/apis/config/goText.js";
import type { NetworkConfig } from "../../../domain/apis/config/index.js";
import { isReady } from "../../../domain/apis/meta/judgement.js";
import type { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import type { Route } from "../../../domain/apis/serving/route.types.js";
import {
  advance,
  goalOf,
  groupsOf,
  type Rollout,
  readRollout,
  type Share,
} from "../../../domain/traffic/index.js";
import { routing } from "./keys.js";

export function rolloutUnderWay(ingress: KnativeIngress | undefined): Rollout {
  return readRollout(ingress?.metadata.annotations?.[routing.rollout]);
}

export function nextRollout(
  route: Route,
  shares: readonly Share[],
  live: KnativeIngress | undefined,
  around: {
    readonly nowMs: number;
    readonly network: NetworkConfig;
    readonly exists: (revisionName: string) => boolean;
  },
): Rollout {
  return advance(goalOf(groupsOf(shares)), rolloutUnderWay(live), {
    nowMs: around.nowMs,
    exists: around.exists,
    confirmed: live !== undefined && isReady(live),
    durationSeconds: durationOf(route) || around.network.rolloutDurationSeconds,
  });
}

/** A Go duration such as `380s`; anything else is as if it were not said. */
function durationOf({ metadata }: Route): number {
  const { annotations = {} } = metadata;
  const text = annotations[serving.rolloutDuration] ?? annotations[routing.otherRolloutDuration] ?? "";
  const parsed = parseDuration(text);
  return "because" in parsed ? 0 : Math.floor(Number(parsed.value) / 1e9);
}
