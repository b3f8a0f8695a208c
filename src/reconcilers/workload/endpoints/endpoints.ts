/**
 * A Service with a selector stands for the ready pods it selects. This reconciler keeps their addresses, in the
 * Service's Endpoints and EndpointSlices. Services without a selector keep the addresses others give them.
 */
import { asKind, type Deps, ownedBy, type Reconciler, same, watch } from "../../../controller/index.js";
import { Endpoints, livesAnnotation } from "../../../domain/apis/core/endpoints.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { EndpointSlice } from "../../../domain/apis/discovery/discovery.types.js";
import type { Kind, Resource } from "../../../domain/apis/kind.js";
import { isPortError, type Key, type Unsaved } from "../../../ports/index.js";
import { isReady } from "../pods.js";
import { groupPods, livesOf, makeSlices, makeSubset, sliceLabels } from "./make.js";

export function endpointsReconciler({ client, listers }: Deps): Reconciler<Service> {
  const services = listers(Service);
  const slices = listers(EndpointSlice);

  /**
   * Creates or replaces. An object that a Service of the same name left behind is taken over:
   * it is told from others' by its name alone, as upstream does.
   */
  async function put<T extends Resource>(
    kind: Kind<T>,
    service: Service,
    wish: Unsaved<T>,
    members: readonly (keyof T & string)[],
  ): Promise<void> {
    const key = { namespace: service.metadata.namespace ?? "", name: wish.metadata.name };
    const owned = ownedBy(service, wish);
    const live = listers(kind).get(key);
    if (live === undefined) {
      await client.create(kind, owned);
      return;
    }
    const { labels = {}, ownerReferences, annotations: ours } = owned.metadata;
    const { [livesAnnotation]: _before, ...others } = live.metadata.annotations ?? {};
    const annotations = { ...others, ...ours };
    const next: T = {
      ...live,
      ...Object.fromEntries(members.map((member) => [member, owned[member as keyof typeof owned]])),
      metadata: { ...live.metadata, labels, annotations, ownerReferences },
    };
    const { labels: labelsNow = {}, annotations: annotationsNow = {} } = live.metadata;
    const seen = {
      ...live,
      metadata: { ...live.metadata, labels: labelsNow, annotations: annotationsNow },
    };
    if (!same(seen, next)) await client.update(kind, next);
  }

  async function drop(slice: EndpointSlice): Promise<void> {
    const { namespace = "", name, uid } = slice.metadata;
    try {
      await client.delete(asKind(EndpointSlice), { namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (!isPortError(error, "NotFound")) throw error;
    }
  }

  return {
    kind: Service,
    owns: [asKind(Endpoints), asKind(EndpointSlice)],
    watches: [
      watch(
        Pod,
        ({ metadata: { namespace = "", labels = {} } }): readonly Key[] =>
          services
            .list({ namespace })
            .filter((service) => selects(service, labels))
            .map((service) => ({ namespace, name: service.metadata.name })),
        { isUrgent: (pod, old) => isReady(pod) || (old !== undefined && isReady(old)) },
      ),
    ],

    async reconcile(service) {
      const { namespace = "", name, labels } = service.metadata;
      if (!hasSelector(service)) return;
      const pods = listers(Pod).list({ namespace, labels: service.spec?.selector ?? {} });
      const groups = groupPods(service, pods);
      const wishes = makeSlices(service, groups);
      const subsets = groups.map(makeSubset);
      const lives = livesOf(pods);
      const annotations = lives === undefined ? {} : { [livesAnnotation]: lives };

      const stale = slices
        .list({ namespace, labels: sliceLabels(service) })
        .filter((slice) => !wishes.some((wish) => wish.metadata.name === slice.metadata.name));
      await Promise.all([
        put(
          Endpoints,
          service,
          {
            metadata: { name, namespace, labels, annotations },
            ...(subsets.length === 0 ? {} : { subsets }),
          },
          ["subsets"],
        ),
        ...wishes.map((wish) => put(EndpointSlice, service, wish, ["endpoints", "ports"])),
        ...stale.map(drop),
      ]);
    },
  };
}

function hasSelector({ spec }: Service): boolean {
  return spec?.type !== "ExternalName" && Object.keys(spec?.selector ?? {}).length > 0;
}

function selects(service: Service, labels: { readonly [key: string]: string }): boolean {
  return (
    hasSelector(service) &&
    Object.entries(service.spec?.selector ?? {}).every(([key, value]) => labels[key] === value)
  );
}
