// Tells Revisions whether a Route wants them: routingState and the list of routes (knative-serving.md, section 4.5).
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import type { Route } from "../../../domain/apis/serving/route.types.js";
import type { Share } from "../../../domain/traffic/index.js";
import type { ServingDeps } from "../deps.js";

export type Label = (
  route: Route,
  shares: readonly Share[],
  options?: { readonly release: boolean },
) => Promise<void>;

export function routingLabeler({ client, listers, clock }: ServingDeps): Label {
  const revisions = listers(Revision);
  const configurations = listers(Configuration);

  return async (route, shares, { release } = { release: false }) => {
    const namespace = route.metadata.namespace ?? "";
    const wanted =
      route.metadata.deletionTimestamp === undefined ? wantedBy(route, shares) : new Set<string>();
    for (const revision of revisions.list({ namespace })) {
      const routes = listOf(revision);
      const has = routes.includes(route.metadata.name);
      const wants = wanted.has(revision.metadata.name);
      if (wants && !(has && revision.metadata.labels?.[serving.routingState] === "active")) {
        await write(revision, has ? routes : [...routes, route.metadata.name]);
      } else if (!wants && has && release) {
        await write(
          revision,
          routes.filter((name) => name !== route.metadata.name),
        );
      }
    }
  };

  // The latest created Revision counts before it is ready: it must not be put to sleep while it starts.
  function wantedBy(route: Route, shares: readonly Share[]): ReadonlySet<string> {
    const wanted = new Set(shares.map((share) => share.revisionName));
    for (const { configurationName, revisionName } of route.spec.traffic ?? []) {
      if (revisionName) wanted.add(revisionName);
      const key = { namespace: route.metadata.namespace ?? "", name: configurationName ?? "" };
      const created = configurations.get(key)?.status?.latestCreatedRevisionName;
      if (created !== undefined) wanted.add(created);
    }
    return wanted;
  }

  async function write(revision: Revision, routes: readonly string[]): Promise<void> {
    const key = { namespace: revision.metadata.namespace ?? "", name: revision.metadata.name };
    const patch = {
      metadata: {
        labels: { [serving.routingState]: routes.length > 0 ? "active" : "reserve" },
        annotations: {
          [serving.routes]: routes.length > 0 ? routes.join(",") : null,
          [serving.routingStateModified]: isoSeconds(clock.now()),
        },
      },
    };
    await client.patch(Revision, key, patch, { type: "merge" });
  }
}

function listOf(revision: Revision): readonly string[] {
  return (revision.metadata.annotations?.[serving.routes] ?? "").split(",").filter((name) => name !== "");
}
