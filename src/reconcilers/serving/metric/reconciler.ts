/** A Metric says which counts are looked at. This reconciler says whether anybody is there to be asked for them. */
import { type Deps, type Reconciler, watch } from "../../../controller/index.js";
import { Metric } from "../../../domain/apis/autoscaling/metric.types.js";
import { Endpoints } from "../../../domain/apis/core/endpoints.types.js";
import { unknown, yes } from "../../../domain/apis/meta/judgement.js";
import { networking } from "../../../domain/apis/serving/keys.js";

export function metricReconciler({ listers }: Deps): Reconciler<Metric> {
  const endpoints = listers(Endpoints);

  return {
    kind: Metric,
    conditions: { ready: ["Ready"] },
    watches: [
      watch(Endpoints, ({ metadata: { namespace = "", labels } }) => {
        const name = labels?.[networking.serverlessService];
        return name === undefined ? [] : [{ namespace, name }];
      }),
    ],

    async reconcile({ metadata: { namespace = "" }, spec: { scrapeTarget } }, status) {
      const found = scrapeTarget === "" || endpoints.get({ namespace, name: scrapeTarget }) !== undefined;
      const missing = `failed to get endpoints: there are none of Service ${namespace}/${scrapeTarget}`;
      status.mark("Ready", found ? yes : unknown("NoEndpoints", missing));
    },
  };
}
