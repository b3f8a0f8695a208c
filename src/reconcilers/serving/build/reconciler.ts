/**
 * A Build runs its steps once, in one pod, and then says for good how they ended. This reconciler makes the pod,
 * reads it, and minds the clock.
 */
import {
  asKind,
  type Deps,
  ensureOwned,
  type Outcome,
  type Reconciler,
  type StatusReport,
} from "../../../controller/index.js";
import { defaultTimeout } from "../../../domain/apis/build/build.defaults.js";
import { sourceStep } from "../../../domain/apis/build/build.names.js";
import { Build } from "../../../domain/apis/build/build.types.js";
import { durationText, milliseconds, parseDuration } from "../../../domain/apis/config/goText.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { type Judgement, no, withConditions } from "../../../domain/apis/meta/judgement.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { type BuildVerdict, judgeBuildPod, judgeTimeout } from "../../../domain/diagnosis/index.js";
import { isRefusal, type Key } from "../../../ports/index.js";
import { makePod, podName } from "./make.js";

export interface BuildDeps extends Deps {
  readonly settings: () => {
    /** Where clients reach the API, such as https://127.0.0.1:6443; without it there is no link to logs. */
    readonly apiUrl?: string | undefined;
  };
}

/** A node ends an overdue pod by itself; one that has not after this long has no node, or none that answers. */
const overdueGraceMs = 60_000;
/** A quota that is raised sends us no event. */
const refusedAgainMs = 10_000;

export function buildReconciler({
  client,
  listers,
  clock,
  recorder,
  settings,
}: BuildDeps): Reconciler<Build> {
  const ensure = ensureOwned(client, listers);

  return {
    kind: Build,
    owns: [asKind(Pod)],

    async reconcile(build, status) {
      const nowMs = clock.now();
      const key = { namespace: build.metadata.namespace ?? "", name: podName(build) };
      const timeout = parseDuration(build.spec.timeout || defaultTimeout);
      const timeoutNs = "value" in timeout ? timeout.value : 0n;
      const timeoutMs = milliseconds(timeoutNs);
      const startTime = build.status?.startTime ?? isoSeconds(nowMs);
      const leftMs = Date.parse(startTime) + timeoutMs - nowMs;
      const pod = listers(Pod).get(key);
      const judged = (pod: Pod) =>
        judgeBuildPod(pod, sourceStep(build.spec), judgeTimeout(pod, durationText(timeoutNs)));
      const tell = (pod: Pod, { told }: BuildVerdict) =>
        status.set({
          cluster: { namespace: key.namespace, podName: key.name },
          ...stepsOf(pod),
          buildLogsLink: logsLink(settings().apiUrl, key, told),
        });

      if (build.status?.completionTime !== undefined) {
        if (pod === undefined) return status.set({ buildLogsLink: undefined });
        tell(pod, judged(pod));
        return clearOverdue(pod, leftMs);
      }
      status.set({ startTime });
      const found = pod ?? (await startPod(build, key, timeoutMs));
      if ("judgement" in found) {
        const { judgement, isOver } = found;
        report(build, status, judgement, isOver || leftMs <= 0);
        return isOver || leftMs <= 0 ? undefined : { requeueAfterMs: Math.min(leftMs, refusedAgainMs) };
      }
      const verdict = judged(found);
      tell(found, verdict);
      const isLate = leftMs <= 0 && !verdict.isOver;
      // What kept it from running is a better answer than that it ran late.
      const timedOut = isLate && verdict.succeeded.status !== "False";
      const late = judgeTimeout(found, durationText(timeoutNs));
      report(build, status, timedOut ? late : verdict.succeeded, verdict.isOver || isLate);
      if (isLate) return { requeueAfterMs: overdueGraceMs };
      return verdict.isOver ? undefined : { requeueAfterMs: leftMs };
    },
  };

  /** The Build's pod, or why there is none. */
  async function startPod(build: Build, key: Key, timeoutMs: number): Promise<Pod | NoPod> {
    // A pod that was there once is never made again: its steps may have run.
    if (build.status?.cluster?.podName !== undefined) {
      const gone = no("PodMissing", `The Build's pod ${key.name} was deleted before it ended.`);
      return (await client.get(Pod, key)) ?? { judgement: gone, isOver: true };
    }
    try {
      const { outcome, object } = await ensure(Pod, build, makePod(build, timeoutMs), { createOnly: true });
      if (outcome === "created") recorder.event(build, "Normal", "Created", `Created pod "${key.name}"`);
      if (outcome !== "notOwned") return object;
      const taken = no("NotOwned", `There is an existing Pod "${key.name}" that we do not own.`);
      return { judgement: taken, isOver: true };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const refused = no("BuildExecuteFailed", `The Build's pod could not be made: ${error.message}`);
      return { judgement: refused, isOver: false };
    }
  }

  async function clearOverdue({ metadata, status }: Pod, leftMs: number): Promise<Outcome | undefined> {
    const isOver = status?.phase === "Succeeded" || status?.phase === "Failed";
    if (isOver || metadata.deletionTimestamp !== undefined) return undefined;
    const waitMs = leftMs + overdueGraceMs;
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    await client.delete(asKind(Pod), { namespace: metadata.namespace ?? "", name: metadata.name }, {});
    return undefined;
  }

  function report(build: Build, status: StatusReport, succeeded: Judgement, isOver: boolean): void {
    conclude(build, status, succeeded, isOver, isoSeconds(clock.now()));
    if (!isOver || succeeded.status === "Unknown") return;
    if (succeeded.status === "True") recorder.event(build, "Normal", "Succeeded", "All steps succeeded");
    else recorder.event(build, "Warning", succeeded.reason, succeeded.message);
  }
}

interface NoPod {
  readonly judgement: Judgement;
  readonly isOver: boolean;
}

/** The happy state is Succeeded, and the document's Failed stands beside it whenever it is False. */
function conclude(
  build: Build,
  status: StatusReport,
  succeeded: Judgement,
  isOver: boolean,
  nowIso: string,
): void {
  const verdicts = new Map<string, Judgement>([["Succeeded", succeeded]]);
  if (succeeded.status === "False") {
    verdicts.set("Failed", { status: "True", reason: succeeded.reason, message: succeeded.message });
  }
  const before = (build.status?.conditions ?? []).filter(({ type }) => verdicts.has(type));
  status.set({
    observedGeneration: build.metadata.generation,
    conditions: withConditions(before, verdicts, new Set(), nowIso),
    ...(isOver ? { completionTime: nowIso } : {}),
  });
}

function stepsOf(pod: Pod) {
  const steps = pod.status?.initContainerStatuses ?? [];
  return {
    stepStates: steps.map(({ name, state }) => ({ name, ...state })),
    stepsCompleted: steps.filter(({ state }) => state?.terminated?.exitCode === 0).map(({ name }) => name),
  };
}

/** A container's log through the API itself: no logging stack needed, only the right to read it. */
function logsLink(apiUrl: string | undefined, { namespace, name }: Key, container: string | undefined) {
  if (!apiUrl || container === undefined) return undefined;
  return `${apiUrl}/api/v1/namespaces/${namespace}/pods/${name}/log?container=${container}&tailLines=1000`;
}
