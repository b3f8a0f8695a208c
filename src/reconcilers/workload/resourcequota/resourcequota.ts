/**
 * A ResourceQuota bounds what a namespace may use. This reconciler tells in its status how much that is now;
 * the API keeps the bound by itself and never reads what stands here.
 */
import { asKind, type Deps, type Reconciler, watch } from "../../../controller/index.js";
import { ResourceQuota } from "../../../domain/apis/core/namespace.types.js";
import type { Amounts } from "../../../domain/apis/core/podResources.js";
import { counts, usedOf } from "../../../domain/apis/core/quota.js";
import { type Kind, qualifiedPlural } from "../../../domain/apis/kind.js";
import { isPortError } from "../../../ports/index.js";
import { recountMs } from "../limits.js";

export interface QuotaOptions {
  /** Every kind that is served now; custom ones come and go. */
  readonly kinds: () => readonly Kind[];
}

export function resourceQuotaReconciler(
  { client, listers, clock }: Deps,
  { kinds }: QuotaOptions,
): Reconciler<ResourceQuota> {
  const quotas = listers(ResourceQuota);
  const watched = new Map(namespacedOf(kinds()).map((kind) => [qualifiedPlural(kind), kind] as const));

  return {
    kind: ResourceQuota,
    watches: [...watched.values()].map((kind) =>
      watch(kind, ({ metadata: { namespace = "" } }) =>
        quotas
          .list({ namespace })
          .filter(({ spec }) => Object.keys(spec?.hard ?? {}).some((resource) => counts(kind, resource)))
          .map(({ metadata }) => ({ namespace, name: metadata.name })),
      ),
    ),

    async reconcile(quota, status) {
      const { namespace = "" } = quota.metadata;
      const hard = quota.spec?.hard ?? {};
      const counted = namespacedOf(kinds()).filter((kind) =>
        Object.keys(hard).some((resource) => counts(kind, resource)),
      );
      const used: Amounts[] = [];
      let unheard = false;
      for (const kind of counted) {
        // Kinds that came later send us no events: they are asked for, and again after a while.
        const heard = watched.has(qualifiedPlural(kind));
        unheard ||= !heard;
        const objects = heard ? listers(kind).list({ namespace }) : await all(kind, namespace);
        used.push(usedOf(quota, kind, objects, clock.now()));
      }
      status.set({ hard, used: Object.assign({}, ...used) });
      return unheard ? { requeueAfterMs: recountMs } : undefined;
    },
  };

  async function all(kind: Kind, namespace: string) {
    try {
      return (await client.list(kind, { namespace })).items;
    } catch (error) {
      // Its definition went away meanwhile, and its objects with it.
      if (isPortError(error, "NotFound")) return [];
      throw error;
    }
  }
}

function namespacedOf(kinds: readonly Kind[]): readonly Kind[] {
  return kinds.filter((kind) => kind.namespaced).map(asKind);
}
