/**
 * A CustomResourceDefinition is a kind of the user's own. The API serves it by itself; this reconciler only
 * sees to its end: the objects of the kind go first, then the kind.
 */
import { asKind, type Deps, type Reconciler } from "../../../controller/index.js";
import { CustomResourceDefinition, kindsOfCrd } from "../../../domain/apis/crd/index.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { isPortError } from "../../../ports/index.js";
import { empty } from "../emptying.js";
import { lookAgainMs } from "../limits.js";
import { textOf } from "../refusals.js";

const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

export function customResourceDefinitionReconciler({
  client,
  clock,
}: Deps): Reconciler<CustomResourceDefinition> {
  /** Why the definition must stay; undefined when it may go. */
  async function whatRemains(
    definition: CustomResourceDefinition,
  ): Promise<readonly [string, string] | undefined> {
    const kind = kindsOfCrd(definition).find((one) => one.storage);
    if (kind === undefined) return undefined;
    try {
      const { objects } = await empty(client, asKind(kind), {});
      if (objects.length === 0) return undefined;
      return [
        "InstanceDeletionInProgress",
        `CustomResource deletion is in progress, ${objects.length} remain`,
      ];
    } catch (error) {
      // A kind that was never accepted has no objects.
      if (isPortError(error, "NotFound")) return undefined;
      return ["InstanceDeletionFailed", `could not delete instances: ${textOf(error)}`];
    }
  }

  return {
    kind: CustomResourceDefinition,

    async reconcile() {},

    async leave(definition, status) {
      const { finalizers = [] } = definition.metadata;
      if (!finalizers.includes(cleanupFinalizer)) return undefined;
      const remains = await whatRemains(definition);
      if (remains === undefined) {
        await client.update(CustomResourceDefinition, {
          ...definition,
          metadata: {
            ...definition.metadata,
            finalizers: finalizers.filter((one) => one !== cleanupFinalizer),
          },
        });
        return undefined;
      }
      const [reason, message] = remains;
      const conditions = definition.status?.conditions ?? [];
      const old = conditions.find((one) => one.type === "Terminating");
      const lastTransitionTime = old?.lastTransitionTime ?? isoSeconds(clock.now());
      const others = conditions.filter((one) => one !== old);
      status.set({
        conditions: [...others, { type: "Terminating", status: "True", lastTransitionTime, reason, message }],
      });
      return { requeueAfterMs: lookAgainMs };
    },
  };
}
