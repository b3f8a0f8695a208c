// From what the gateway says it serves to what a Route says of itself.
import { same } from "../../../controller/index.js";
import type { NetworkConfig } from "../../../domain/apis/config/index.js";
import type { Resource } from "../../../domain/apis/kind.js";
import {
  conditionOf,
  copied,
  isReady,
  type Judgement,
  no,
  noted,
  unknown,
} from "../../../domain/apis/meta/judgement.js";
import type { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import type { Unsaved } from "../../../ports/index.js";
import { routing } from "./keys.js";

export const notConfigured = unknown("IngressNotConfigured", "Ingress has not yet been reconciled.");

export interface JudgedIngress {
  readonly ready: Judgement;
  /** What RolloutInProgress says; undefined when traffic is where it should be. */
  readonly shift: Judgement | undefined;
  /** When time alone may change the verdict. */
  readonly lookAgainInMs: number | undefined;
}

interface Circumstances {
  /** Traffic is on its way from one Revision to another, step by step. */
  readonly gradual: boolean;
  readonly nowMs: number;
  readonly deadlineSeconds: number;
}

export function judgeIngress(ingress: KnativeIngress, seen: Circumstances): JudgedIngress {
  const { gradual, nowMs, deadlineSeconds } = seen;
  const underWay = gradual
    ? unknown("RolloutInProgress", "A gradual rollout of the latest revision(s) is in progress.")
    : undefined;
  if (isReady(ingress)) {
    const shift = underWay && progressing(underWay.reason, underWay.message);
    return {
      ready: underWay ?? noted(conditionOf(ingress, "LoadBalancerReady")),
      shift,
      lookAgainInMs: undefined,
    };
  }
  const leftMs = unconfirmedSinceMs(ingress) + deadlineSeconds * 1000 - nowMs;
  const late = no(
    "ProgressDeadlineExceeded",
    `Unable to update traffic split for more than ${deadlineSeconds} seconds.`,
  );
  const said = observed(ingress) ? copied(conditionOf(ingress, "Ready"), notConfigured) : notConfigured;
  // A failure that has a name of its own says more than that time ran out.
  if (leftMs <= 0) {
    return {
      ready: said.status === "False" ? said : late,
      shift: progressing(late.reason, late.message),
      lookAgainInMs: undefined,
    };
  }
  return {
    ready: said.status === "False" ? said : (underWay ?? said),
    shift: progressing("RolloutInProgress", "The gateway has not yet confirmed the traffic split."),
    lookAgainInMs: leftMs,
  };
}

function progressing(reason = "", message = ""): Judgement {
  return { status: "True", reason, message };
}

/** From when on the gateway owes an answer: since it was asked, or since it lost what it had confirmed. */
function unconfirmedSinceMs(ingress: KnativeIngress): number {
  const { annotations, creationTimestamp } = ingress.metadata;
  const askedMs = Date.parse(annotations?.[routing.askedAt] ?? creationTimestamp ?? "") || 0;
  const lost = observed(ingress) ? conditionOf(ingress, "Ready")?.lastTransitionTime : undefined;
  return Math.max(askedMs, lost === undefined ? 0 : Date.parse(lost));
}

function observed({ metadata, status }: KnativeIngress): boolean {
  return status?.observedGeneration === metadata.generation;
}

/** The moment of asking stays while the same is asked for. */
export function keepAsked(live: KnativeIngress, wish: Unsaved<KnativeIngress>): Unsaved<KnativeIngress> {
  const askedAt = live.metadata.annotations?.[routing.askedAt];
  if (askedAt === undefined || !same(live.spec, wish.spec)) return wish;
  const annotations = { ...wish.metadata.annotations, [routing.askedAt]: askedAt };
  return { ...wish, metadata: { ...wish.metadata, annotations } };
}

const tlsOff = [
  "networking.knative.dev/disable-external-domain-tls",
  "networking.knative.dev/disable-auto-tls",
  "networking.knative.dev/disableAutoTLS",
];

/** Nothing here issues certificates, so where they are wanted the Route says that it goes without. */
export function judgeCertificate(
  { metadata }: Resource,
  isOutside: boolean,
  { externalDomainTls, clusterLocalDomainTls, httpProtocol }: NetworkConfig,
  certificate: string,
): Judgement {
  const wanted = isOutside
    ? externalDomainTls && !tlsOff.some((key) => metadata.annotations?.[key]?.toLowerCase() === "true")
    : clusterLocalDomainTls;
  if (!wanted) {
    const message = isOutside ? "external-domain-tls is not enabled" : "TLS is not enabled for cluster-local";
    return { status: "True", reason: "TLSNotEnabled", message };
  }
  return httpProtocol === "Enabled"
    ? {
        status: "True",
        reason: "HTTPDowngrade",
        message: `Certificate ${certificate} is not ready downgrade HTTP.`,
      }
    : unknown(
        "CertificateNotReady",
        `Certificate ${certificate} is not ready: nothing here issues certificates`,
      );
}
