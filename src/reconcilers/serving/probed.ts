// What the gateway's answers to probes mean to whoever asked.
import type { Resource } from "../../domain/apis/kind.js";
import { conditionOf, type Judgement, unknown, yes } from "../../domain/apis/meta/judgement.js";
import type { Condition } from "../../domain/apis/meta/meta.types.js";
import { ingressProbe } from "../../domain/apis/serving/keys.js";
import type { Probed } from "../../ports/index.js";

export interface JudgedProbes {
  readonly verdict: Judgement;
  /** Told once, as an event, when something came to stand in front. */
  readonly news: { readonly reason: string; readonly message: string } | undefined;
}

type Asker = Resource & {
  readonly status?: { readonly conditions?: readonly Condition[] | undefined } | undefined;
};

export function judgeProbed(asker: Asker, condition: string, probed: Probed): JudgedProbes {
  if (probed.outcome === "ready") return { verdict: yes, news: undefined };
  const strict = asker.metadata.annotations?.[ingressProbe] === "strict";
  if (probed.outcome === "inFront" && !strict) {
    const { reason } = probed;
    const message = `Ready as far as probes can tell. ${probed.because}. Readiness does not wait for it; requests meet the same.`;
    const before = conditionOf(asker, condition)?.reason;
    return {
      verdict: { status: "True", reason, message },
      news: before === reason ? undefined : { reason, message },
    };
  }
  const message = `Waiting for load balancer to be ready: ${probed.because}`;
  // The debug guide's word for probes that fail is what users look for; upstream's own stays beneath it.
  const inReady = { reason: "IngressNotConfigured", message };
  return {
    verdict: { ...unknown("Uninitialized", message), inReady } as Judgement,
    news: undefined,
  };
}
