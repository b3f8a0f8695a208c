// Pods that will be wanted though none is there: those of a Deployment at zero.
import { Deployment } from "../domain/apis/apps/apps.types.js";
import { PodAutoscaler } from "../domain/apis/autoscaling/podAutoscaler.types.js";
import type { Kubelet } from "../kubelet/index.js";
import type { Key, Listers } from "../ports/index.js";

export interface Sleepers {
  /** A request found this Revision asleep: its pod is a few objects away. */
  wake(key: Key): void;
  /** Whatever sleeps, the first wake after a start of Drydock is to be one like the others. */
  warm(): Promise<void>;
}

export function sleepers(listers: Listers, kubelet: Pick<Kubelet, "stir" | "warm">): Sleepers {
  return {
    wake(key) {
      const name = listers(PodAutoscaler).get(key)?.spec?.scaleTargetRef.name;
      const target = name ? listers(Deployment).get({ namespace: key.namespace, name }) : undefined;
      const pod = target?.spec?.template.spec;
      if (pod) kubelet.stir(pod);
    },
    async warm() {
      for (const { spec } of listers(Deployment).list()) {
        const pod = spec?.template.spec;
        if (pod !== undefined && spec?.replicas === 0) await kubelet.warm(pod);
      }
    },
  };
}
