/**
 * revisions/log, ours alone: what the pods of a Revision said last, under one address that a status can hold
 * (`status.logUrl`). When no pod is left it repeats what the status remembers of them.
 */
import { Pod } from "../../domain/apis/core/pod.types.js";
import { conditionOf } from "../../domain/apis/meta/judgement.js";
import { serving } from "../../domain/apis/serving/keys.js";
import type { Revision } from "../../domain/apis/serving/revision.types.js";
import type { Call } from "../http/call.js";
import type { ResourcePath } from "../http/path.js";
import { send } from "../http/respond.js";
import type { Served } from "../registry/index.js";
import { notFound } from "../status.js";
import { podLogs } from "./logs.js";

export async function revisionLogs(call: Call, served: Served, path: ResourcePath): Promise<void> {
  const { registry } = call.house;
  const { namespace, name } = path;
  const revision = registry.get(served, namespace, name)?.object as Revision | undefined;
  if (revision === undefined) throw notFound(served.kind, name);
  const pods = registry
    .servedAs(Pod)
    .collection.list({
      namespace,
      match: ({ metadata }) => metadata.labels?.[serving.revisionUid] === revision.metadata.uid,
    })
    .map(({ object }) => object as Pod)
    .sort((a, b) => ((a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? 1 : -1));
  const [pod] = pods;
  if (pod === undefined) return send(call, 200, "text/plain", lastWords(revision));

  const { container, previous } = mostTelling(pod);
  if (!call.query.has("container")) call.query.set("container", container);
  if (previous && !call.query.has("previous")) call.query.set("previous", "true");
  return podLogs(call, served, { ...path, name: pod.metadata.name });
}

/** The container that keeps the pod from serving, and the run of it that ended; else the one that serves. */
function mostTelling(pod: Pod): { readonly container: string; readonly previous: boolean } {
  const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const usual = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const telling =
    all.find((one) => !one.ready && (one.state?.terminated ?? one.lastState?.terminated)?.exitCode) ??
    all.find((one) => one.name === usual) ??
    all.at(-1);
  const between = telling?.state?.waiting !== undefined && telling.lastState?.terminated !== undefined;
  return { container: telling?.name ?? usual ?? pod.spec?.containers[0]?.name ?? "", previous: between };
}

function lastWords(revision: Revision): string {
  const ready = conditionOf(revision, "Ready");
  const known = ready?.message ? `${ready.reason}: ${ready.message}` : (ready?.reason ?? "nothing");
  return `No pod of revision ${revision.metadata.name} is left. Its status says: ${known}\n`;
}
