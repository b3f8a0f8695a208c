/**
 * A Configuration is the latest wish for what runs. Each generation of it becomes one Revision;
 * the newest of its Revisions that is ready is the one Routes send traffic to.
 */
import { asKind, ensureOwned, type Reconciler, type StatusReport } from "../../../controller/index.js";
import { Build } from "../../../domain/apis/build/build.types.js";
import { conditionOf, copied, no } from "../../../domain/apis/meta/judgement.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { isPortError, isRefusal } from "../../../ports/index.js";
import { makeBuild } from "../build/make.js";
import { whenConfigChanges } from "../config.js";
import type { ServingDeps } from "../deps.js";
import { askAgain } from "../taken.js";
import { latestReadyName, presentRevision } from "./choose.js";
import { makeRevision, revisionName } from "./make.js";
import { retire } from "./retire.js";

export function configurationReconciler({
  client,
  listers,
  clock,
  recorder,
  config,
}: ServingDeps): Reconciler<Configuration> {
  const ensure = ensureOwned(client, listers);
  const revisions = listers(Revision);

  return {
    kind: Configuration,
    conditions: { ready: ["Ready"] },
    owns: [asKind(Revision)],
    watches: [whenConfigChanges(listers, Configuration, "config-gc")],

    async reconcile(configuration, status) {
      const mine = revisions.controlledBy(configuration.metadata.uid ?? "");
      const namespace = configuration.metadata.namespace ?? "";
      const named = revisions.get({ namespace, name: revisionName(configuration) });
      const present = presentRevision(configuration, mine, named);
      if (present.outcome === "conflict") {
        status.mark(
          "Ready",
          creationFailed(`revisions.serving.knative.dev "${present.name}" already exists`),
        );
        return askAgain;
      }
      if (present.outcome === "deleted") {
        if (configuration.status?.latestReadyRevisionName === present.name)
          status.set({ latestReadyRevisionName: undefined });
        status.mark("Ready", no("RevisionMissing", "The latest Revision appears to have been deleted."));
        return undefined;
      }
      const revision =
        present.outcome === "found" ? present.revision : await create(configuration, present.name, status);
      if (revision === undefined) return askAgain;
      status.set({ latestCreatedRevisionName: revision.metadata.name });

      const latestReady = latestReadyName(configuration, mine);
      status.set({ latestReadyRevisionName: latestReady });
      // The Revision's own reason and message, unchanged: a cause is not wrapped on its way up.
      status.mark("Ready", copied(conditionOf(revision, "Ready")));
      announce(configuration, revision, latestReady);

      const { revisions: retired, lookAgainInMs } = retire(configuration, mine, config().gc, clock.now());
      for (const { metadata } of retired) {
        await client.delete(asKind(Revision), { namespace, name: metadata.name }).catch(unlessGone);
      }
      return { requeueAfterMs: lookAgainInMs };
    },
  };

  async function create(
    configuration: Configuration,
    name: string,
    status: StatusReport,
  ): Promise<Revision | undefined> {
    try {
      const build = makeBuild(configuration, name);
      if (build !== undefined) await ensure(Build, configuration, build, { createOnly: true });
      const revision = await client.create(Revision, makeRevision(configuration, clock.now()));
      recorder.event(configuration, "Normal", "Created", `Created Revision "${name}"`);
      return revision;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      status.mark("Ready", creationFailed(error.message));
      recorder.event(
        configuration,
        "Warning",
        "CreationFailed",
        `Failed to create Revision: ${error.message}`,
      );
      return undefined;
    }
  }

  // Told when it changes, and only then.
  function announce(configuration: Configuration, revision: Revision, latestReady: string | undefined): void {
    const { name } = revision.metadata;
    const was = conditionOf(configuration, "Ready")?.status;
    const before = configuration.status?.latestReadyRevisionName;
    if (latestReady !== undefined && latestReady !== before) {
      if (before === undefined)
        recorder.event(configuration, "Normal", "ConfigurationReady", "Configuration becomes ready");
      const text = `LatestReadyRevisionName updated to "${latestReady}"`;
      recorder.event(configuration, "Normal", "LatestReadyUpdate", text);
    }
    if (conditionOf(revision, "Ready")?.status === "False" && was !== "False") {
      const [reason, which] =
        name === latestReady ? ["LatestReadyFailed", "ready"] : ["LatestCreatedFailed", "created"];
      recorder.event(configuration, "Warning", reason, `Latest ${which} revision "${name}" has failed`);
    }
  }
}

function creationFailed(because: string) {
  return no("RevisionFailed", `Revision creation failed with message: ${because}.`);
}

function unlessGone(error: unknown): void {
  if (!isPortError(error, "NotFound")) throw error;
}
