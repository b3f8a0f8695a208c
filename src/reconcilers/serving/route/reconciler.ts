/**
 * A Route says which Revisions a name reaches. This reconciler resolves its targets, asks the gateway for them
 * through a Knative Ingress, and tells the Revisions whether they are still wanted.
 */
import {
  asKind,
  controllerUid,
  ensureOwned,
  type Outcome,
  type Reconciler,
  type StatusReport,
  watch,
} from "../../../controller/index.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { isReady, type Judgement, no } from "../../../domain/apis/meta/judgement.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { Route } from "../../../domain/apis/serving/route.types.js";
import type { TrafficTarget } from "../../../domain/apis/serving/traffic.types.js";
import {
  isGradual,
  nextStepMs,
  type Rollout,
  resolveTraffic,
  type Share,
  statusShares,
} from "../../../domain/traffic/index.js";
import { whenConfigChanges } from "../config.js";
import type { ServingDeps } from "../deps.js";
import { childName, localHost } from "../names.js";
import { portOf } from "../ports.js";
import { askAgain, notOwned } from "../taken.js";
import { hostsOf, type RouteHost } from "./hosts.js";
import { judgeCertificate, judgeIngress, keepAsked, notConfigured } from "./judge.js";
import { routingLabeler } from "./labeler.js";
import { httpOptionOf, makeIngress, makePlaceholder } from "./make.js";
import { nextRollout, rolloutUnderWay } from "./rollout.js";
import { routesOfConfiguration, routesOfRevision } from "./wakes.js";

export function routeReconciler(deps: ServingDeps): Reconciler<Route> {
  const { client, listers, settings, recorder, clock, config } = deps;
  const ensure = ensureOwned(client, listers);
  const labeler = routingLabeler(deps);
  const services = listers(Service);
  const revisions = listers(Revision);

  return {
    kind: Route,
    conditions: {
      ready: ["AllTrafficAssigned", "CertificateProvisioned", "IngressReady"],
      info: ["RolloutInProgress"],
    },
    owns: [asKind(KnativeIngress), asKind(Service)],
    watches: [
      watch(Configuration, routesOfConfiguration(listers(Route))),
      watch(Revision, routesOfRevision(listers(Route))),
      whenConfigChanges(
        listers,
        Route,
        "config-deployment",
        "config-domain",
        "config-features",
        "config-network",
      ),
    ],

    async reconcile(route, status) {
      const { name, namespace = "" } = route.metadata;
      const { shares, verdict, missing } = resolveTraffic(route.spec.traffic ?? [], {
        service: route.metadata.labels?.[serving.service],
        configuration: (key) => listers(Configuration).get({ namespace, name: key }),
        revision: (key) => revisions.get({ namespace, name: key }),
      });
      const named = hostsOf(route, {
        config: config(),
        settings: settings(),
        placeholder: (key) => services.get({ namespace, name: key }),
      });
      const live = liveIngress(route);
      await labeler.hold(route, [...shares.map((share) => share.revisionName), ...served(live)]);

      if ("because" in named) {
        status.mark("AllTrafficAssigned", no("ErrorConfig", named.because));
        return leaveServing(live, status);
      }
      status.mark("AllTrafficAssigned", verdict);
      const [main] = named.hosts;
      const certificate = `route-${route.metadata.uid ?? ""}`;
      const { network } = config();
      status.mark(
        "CertificateProvisioned",
        judgeCertificate(route, main?.outside !== undefined, network, certificate),
      );
      status.set({ url: main?.url, address: { url: `http://${localHost(name, namespace)}` } });
      if (verdict.status !== "True") {
        // status.traffic drops what does not exist, as the error-conditions document wants. What is merely not ready
        // yet leaves it as it was, and either way requests go on to where they went before.
        const exists = (line: TrafficTarget) =>
          revisions.get({ namespace, name: line.revisionName ?? "" }) !== undefined;
        const traffic = missing ? linesOf(shares, named.hosts) : route.status?.traffic?.filter(exists);
        status.set({ traffic });
        return leaveServing(live, status);
      }
      return assign(route, { shares, hosts: named.hosts, live, status });
    },

    async finalize(route) {
      await labeler.release(route, []);
    },
    finalizer: "routes.serving.knative.dev",
  };

  interface Assignment {
    readonly shares: readonly Share[];
    readonly hosts: readonly RouteHost[];
    readonly live: KnativeIngress | undefined;
    readonly status: StatusReport;
  }

  async function assign(route: Route, { shares, hosts, live, status }: Assignment): Promise<Outcome> {
    const { name, namespace = "" } = route.metadata;
    const nowMs = clock.now();
    const revision = (key: string) => revisions.get({ namespace, name: key });
    const { network } = config();
    const exists = (key: string) => revision(key) !== undefined;
    const rollout = nextRollout(route, shares, live, { nowMs, network, exists });
    status.set({ traffic: linesOf(statusShares(shares, rollout), hosts) });

    for (const host of hosts) {
      const service = await ensure(Service, route, makePlaceholder(route, host.name, live));
      if (service.outcome === "notOwned") {
        stuck(status, notOwned("placeholder Service", host.name));
        return askAgain;
      }
      if (service.outcome === "created")
        recorder.event(route, "Normal", "Created", `Created placeholder service "${host.name}"`);
    }

    const http = httpOptionOf(route, network);
    if ("because" in http) return stuck(status, no("ErrorConfig", http.because));
    const wish = makeIngress(route, {
      hosts,
      shares,
      rollout,
      portOf: (key) => portOf(revision(key)),
      config: config(),
      httpOption: http.option,
      askedAt: isoSeconds(nowMs),
    });
    const ingress = await ensure(KnativeIngress, route, wish, { exact: ["spec"], keep: keepAsked });
    if (ingress.outcome === "notOwned") {
      stuck(status, notOwned("Ingress", name));
      return askAgain;
    }
    if (ingress.outcome === "created")
      recorder.event(route, "Normal", "Created", `Created Ingress "${ingress.object.metadata.name}"`);
    const outcome = report(ingress.object, rollout, status);
    if (!isReady(ingress.object)) return outcome;

    // What is old is let go only when the gateway has what is new.
    await labeler.release(route, served(ingress.object));
    await removePlaceholders(route, new Set(hosts.map((host) => host.name)));
    // A step that is due but unconfirmed waits for the gateway, whose word wakes the Route.
    const stepMs = nextStepMs(rollout);
    return stepMs === undefined ? outcome : { requeueAfterMs: Math.max(0, stepMs - nowMs) };
  }

  /** Bad targets leave what is being served as it was; it is still told how that fares. */
  function leaveServing(live: KnativeIngress | undefined, status: StatusReport): Outcome {
    if (live !== undefined) return report(live, rolloutUnderWay(live), status);
    status.mark("IngressReady", notConfigured);
    status.clear("RolloutInProgress");
    return {};
  }

  function report(ingress: KnativeIngress, rollout: Rollout, status: StatusReport): Outcome {
    const { ready, shift, lookAgainInMs } = judgeIngress(ingress, {
      gradual: isGradual(rollout),
      nowMs: clock.now(),
      deadlineSeconds: config().deployment.progressDeadlineSeconds,
    });
    status.mark("IngressReady", ready);
    if (shift === undefined) status.clear("RolloutInProgress");
    else status.mark("RolloutInProgress", shift);
    return { requeueAfterMs: lookAgainInMs };
  }

  function liveIngress(route: Route): KnativeIngress | undefined {
    const { name, namespace = "", uid } = route.metadata;
    const ingress = listers(KnativeIngress).get({ namespace, name: childName(name, "") });
    return ingress !== undefined && controllerUid(ingress) === uid ? ingress : undefined;
  }

  async function removePlaceholders(route: Route, wanted: ReadonlySet<string>): Promise<void> {
    for (const { metadata } of services.controlledBy(route.metadata.uid ?? "")) {
      if (wanted.has(metadata.name) || metadata.labels?.[serving.route] !== route.metadata.name) continue;
      if (metadata.deletionTimestamp !== undefined) continue;
      const key = { namespace: metadata.namespace ?? "", name: metadata.name };
      await client.delete(asKind(Service), key, { preconditions: { uid: metadata.uid } });
    }
  }
}

/** Traffic is not on its way anywhere: somebody has to change something first. */
function stuck(status: StatusReport, because: Judgement): Outcome {
  status.mark("IngressReady", because);
  status.clear("RolloutInProgress");
  return {};
}

/** The Revisions that the gateway was last told of. */
function served(ingress: KnativeIngress | undefined): readonly string[] {
  const paths = (ingress?.spec.rules ?? []).flatMap((rule) => rule.http?.paths ?? []);
  return [...new Set(paths.flatMap((path) => path.splits.map((split) => split.serviceName)))];
}

function linesOf(shares: readonly Share[], hosts: readonly RouteHost[]) {
  return shares.map(({ tag, revisionName, percent, latestRevision }) => ({
    ...(tag === undefined ? {} : { tag, url: hosts.find((host) => host.tag === tag)?.url }),
    revisionName,
    percent,
    latestRevision,
  }));
}
