// Tells Revisions and Configurations which Routes want them (knative-serving.md, section 4.5).
import type { Kind, Resource } from "../../../domain/apis/kind.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import type { Route } from "../../../domain/apis/serving/route.types.js";
import { isPortError } from "../../../ports/index.js";
import type { ServingDeps } from "../deps.js";

export interface Labeler {
  /** Puts the Route on everything it names, and on these Revisions, which get its traffic or may still. */
  hold(route: Route, revisionNames: Iterable<string>): Promise<void>;
  /** Takes it off everything else. */
  release(route: Route, revisionNames: Iterable<string>): Promise<void>;
}

interface Wanted {
  readonly revisions: ReadonlySet<string>;
  readonly configurations: ReadonlySet<string>;
}

export function routingLabeler({ client, listers, clock }: ServingDeps): Labeler {
  const revisions = listers(Revision);
  const configurations = listers(Configuration);

  return {
    async hold(route, revisionNames) {
      const namespace = route.metadata.namespace ?? "";
      const wanted = wantedBy(route, revisionNames);
      for (const name of wanted.configurations) {
        const configuration = configurations.get({ namespace, name });
        if (configuration !== undefined && !names(configuration, route))
          await writeConfiguration(configuration, withRoute(configuration, route));
      }
      for (const name of wanted.revisions) {
        const revision = revisions.get({ namespace, name });
        const isActive = revision?.metadata.labels?.[serving.routingState] === "active";
        if (revision !== undefined && !(isActive && names(revision, route)))
          await writeRevision(revision, withRoute(revision, route));
      }
    },

    async release(route, revisionNames) {
      const wanted: Wanted =
        route.metadata.deletionTimestamp === undefined
          ? wantedBy(route, revisionNames)
          : { revisions: new Set(), configurations: new Set() };
      for (const configuration of candidates(route)) {
        // Revisions are found through their Configuration, so it is let go last.
        for (const revision of revisions.controlledBy(configuration.metadata.uid ?? "")) {
          if (!wanted.revisions.has(revision.metadata.name) && names(revision, route))
            await writeRevision(revision, withoutRoute(revision, route));
        }
        if (!wanted.configurations.has(configuration.metadata.name) && names(configuration, route))
          await writeConfiguration(configuration, withoutRoute(configuration, route));
      }
    },
  };

  // The latest created Revision counts before it is ready: it must not be put to sleep while it starts.
  function wantedBy(route: Route, revisionNames: Iterable<string>): Wanted {
    const namespace = route.metadata.namespace ?? "";
    const wanted = new Set(revisionNames);
    const follows = new Set<string>();
    for (const { configurationName, revisionName } of route.spec.traffic ?? []) {
      if (revisionName) wanted.add(revisionName);
      else if (configurationName) {
        follows.add(configurationName);
        const created = configurations.get({ namespace, name: configurationName })?.status;
        if (created?.latestCreatedRevisionName !== undefined) wanted.add(created.latestCreatedRevisionName);
      }
    }
    for (const name of wanted) {
      const owner = revisions.get({ namespace, name })?.metadata.labels?.[serving.configuration];
      if (owner !== undefined) follows.add(owner);
    }
    return { revisions: wanted, configurations: follows };
  }

  /** A Service's Route never leaves its Service; any other may have left any Configuration of its namespace. */
  function candidates(route: Route): readonly Configuration[] {
    const namespace = route.metadata.namespace ?? "";
    const service = route.metadata.labels?.[serving.service];
    if (service === undefined) return configurations.list({ namespace }).filter((one) => names(one, route));
    const own = configurations.get({ namespace, name: service });
    return own === undefined ? [] : [own];
  }

  async function writeConfiguration(configuration: Configuration, routes: readonly string[]): Promise<void> {
    await patch(Configuration, configuration, { annotations: { [serving.routes]: listed(routes) } });
  }

  async function writeRevision(revision: Revision, routes: readonly string[]): Promise<void> {
    const state = routes.length > 0 ? "active" : "reserve";
    const isNew = revision.metadata.labels?.[serving.routingState] !== state;
    await patch(Revision, revision, {
      labels: { [serving.routingState]: state },
      annotations: {
        [serving.routes]: listed(routes),
        ...(isNew ? { [serving.routingStateModified]: isoSeconds(clock.now()) } : {}),
      },
    });
  }

  async function patch<T extends Resource>(kind: Kind<T>, object: T, metadata: object): Promise<void> {
    const key = { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
    try {
      await client.patch(kind, key, { metadata }, { type: "merge" });
    } catch (error) {
      // What is gone needs no telling.
      if (!isPortError(error, "NotFound")) throw error;
    }
  }
}

export function routesListed({ metadata }: Resource): readonly string[] {
  return (metadata.annotations?.[serving.routes] ?? "").split(",").filter((name) => name !== "");
}

function names(object: Resource, route: Route): boolean {
  return routesListed(object).includes(route.metadata.name);
}

function withRoute(object: Resource, route: Route): readonly string[] {
  return [...new Set([...routesListed(object), route.metadata.name])].sort();
}

function withoutRoute(object: Resource, route: Route): readonly string[] {
  return routesListed(object).filter((name) => name !== route.metadata.name);
}

function listed(routes: readonly string[]): string | null {
  return routes.length > 0 ? routes.join(",") : null;
}
