// What the kubelet writes to the API about one pod. Each write names the pod's uid: a namesake made later is not ours.
import { type Pod, Pod as PodKind, type PodStatus } from "../domain/apis/core/pod.types.js";
import { type Client, type Clock, isPortError, type Log, type PodRef } from "../ports/index.js";
import { statusRetryFirstMs, statusRetryMaxMs } from "./limits.js";
import { portsAnnotation } from "./podPorts.js";
import { pause } from "./times.js";

export interface PodApi {
  /** Says that the pod is on this node, and where its ports are. */
  bind(pod: Pod, nodeName: string, ports: string): Promise<void>;
  writeStatus(status: PodStatus): Promise<void>;
  /** Takes the pod out of the API, for good. */
  remove(): Promise<void>;
}

export interface PodApiOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly ref: PodRef;
  /** Aborted when there is nothing to write any more. */
  readonly over: AbortSignal;
}

export function podApi({ client, clock, log, ref, over }: PodApiOptions): PodApi {
  const { uid, ...key } = ref;

  /** Tries until it is done, the pod is gone, or nobody cares any more. */
  async function insist(what: string, write: () => Promise<unknown>): Promise<void> {
    let waitMs = statusRetryFirstMs;
    while (!over.aborted) {
      try {
        await write();
        return;
      } catch (error) {
        if (isPortError(error, "NotFound")) return;
        log.error(`pod not ${what}, trying again`, { pod: key, error: String(error) });
        await pause(clock, waitMs, over);
        waitMs = Math.min(waitMs * 2, statusRetryMaxMs);
      }
    }
  }

  return {
    bind(pod, nodeName, ports) {
      const metadata = { uid, annotations: { [portsAnnotation]: ports } };
      const body = pod.spec?.nodeName ? { metadata } : { metadata, spec: { nodeName } };
      return insist("bound", () => client.patch(PodKind, key, body, { type: "merge" }));
    },
    async writeStatus(status) {
      // What is no longer said must go, and a merge leaves what is not named.
      const body = { metadata: { uid }, status: { reason: null, message: null, ...status } };
      await client.patch(PodKind, key, body, { type: "merge", subresource: "status" });
    },
    remove() {
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      return insist("deleted", async () => {
        await client.delete(PodKind, key, options).catch((error: unknown) => {
          if (!isPortError(error, "Conflict")) throw error; // a namesake: ours is gone
        });
      });
    },
  };
}
