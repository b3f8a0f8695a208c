/**
 * A namespace is a space for names. This reconciler furnishes each with what every pod may count on,
 * and empties those on their way out before it lets them go.
 */
import { asKind, type Deps, type Reconciler, watch } from "../../../controller/index.js";
import { ConfigMap, ServiceAccount } from "../../../domain/apis/core/config.types.js";
import { Namespace } from "../../../domain/apis/core/namespace.types.js";
import { type Kind, qualifiedPlural, type Resource } from "../../../domain/apis/kind.js";
import { isPortError } from "../../../ports/index.js";
import { boundedly } from "../bounded.js";
import { empty } from "../emptying.js";
import { collectionsAtOnce, lookAgainMs } from "../limits.js";
import { isNamespaceLeaving, textOf } from "../refusals.js";
import { leavingConditions } from "./leaving.js";
import { accountName, makeAccount, makeRootCa, rootCaName } from "./make.js";

export interface NamespaceOptions {
  /** The certificate authority of the API, as PEM. */
  readonly caCertificate: string;
  /** Every kind that is served now; custom ones come and go. */
  readonly kinds: () => readonly Kind[];
  /** Takes the hold of the namespace's content away: the finalize subresource, which a Client does not have. */
  readonly finalizeNamespace: (name: string) => Promise<unknown>;
}

export function namespaceReconciler(
  { client, listers, clock }: Deps,
  { caCertificate, kinds, finalizeNamespace }: NamespaceOptions,
): Reconciler<Namespace> {
  const accounts = listers(ServiceAccount);
  const configMaps = listers(ConfigMap);

  async function furnish(namespace: string): Promise<void> {
    if (accounts.get({ namespace, name: accountName }) === undefined) {
      await client.create(ServiceAccount, makeAccount(namespace));
    }
    const live = configMaps.get({ namespace, name: rootCaName });
    const wish = makeRootCa(namespace, caCertificate);
    if (live === undefined) await client.create(ConfigMap, wish);
    else if (live.data?.["ca.crt"] !== caCertificate)
      await client.update(ConfigMap, { ...live, data: wish.data });
  }

  return {
    kind: Namespace,
    watches: [
      watch(ServiceAccount, ({ metadata: { name, namespace = "" } }) =>
        name === accountName ? [{ namespace: "", name: namespace }] : [],
      ),
      watch(ConfigMap, ({ metadata: { name, namespace = "" } }) =>
        name === rootCaName ? [{ namespace: "", name: namespace }] : [],
      ),
      // The last object's going is what a namespace on its way out waits for.
      ...contentKinds(kinds()).map((kind) =>
        watch(kind, ({ metadata: { namespace = "" } }) => {
          const home = listers(Namespace).get({ namespace: "", name: namespace });
          return home?.metadata.deletionTimestamp === undefined ? [] : [{ namespace: "", name: namespace }];
        }),
      ),
    ],

    async reconcile(namespace) {
      try {
        await furnish(namespace.metadata.name);
      } catch (error) {
        // Somebody else furnished, or the namespace is leaving: its next change brings us back.
        if (!isPortError(error, "AlreadyExists") && !isNamespaceLeaving(error)) throw error;
      }
    },

    async leave(namespace, status) {
      const { name } = namespace.metadata;
      const present = contentKinds(kinds());
      const emptied = await boundedly(present, collectionsAtOnce, (kind) =>
        empty(client, kind, { namespace: name }),
      );
      const troubles = emptied.flatMap((result, i) => {
        const kind = present[i];
        if (result.status === "fulfilled" || kind === undefined || isWithdrawn(result.reason)) return [];
        return [`${qualifiedPlural(kind)}: ${textOf(result.reason)}`];
      });
      const remainders = emptied.flatMap((result) =>
        result.status === "fulfilled" && result.value.objects.length > 0 ? [result.value] : [],
      );
      if (troubles.length === 0 && remainders.length === 0) {
        await finalizeNamespace(name);
        return undefined;
      }
      status.set({ conditions: leavingConditions(namespace, remainders, troubles, clock.now()) });
      return { requeueAfterMs: lookAgainMs };
    },
  };
}

/** One version of each namespaced kind. */
function contentKinds(kinds: readonly Kind[]): readonly Kind<Resource>[] {
  const byName = new Map(
    kinds.filter((kind) => kind.namespaced).map((kind) => [qualifiedPlural(kind), kind] as const),
  );
  return [...byName.values()].map(asKind);
}

/** A custom kind may go while its namespace does. */
function isWithdrawn(error: unknown): boolean {
  return isPortError(error, "NotFound");
}
