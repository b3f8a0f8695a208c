/**
 * A Configuration is the latest wish for what runs. Each generation of it becomes one Revision;
 * the newest of its Revisions that is ready is the one Routes send traffic to.
 */
import { asKind, type Deps, type Reconciler } from "../../../controller/index.js";
import {
  conditionOf,
  isReady,
  type Judgement,
  no,
  unknown,
  yes,
} from "../../../domain/apis/meta/judgement.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { isPortError } from "../../../ports/index.js";
import { makeRevision, revisionName } from "./make.js";

export function configurationReconciler({
  client,
  listers,
  clock,
  recorder,
}: Deps): Reconciler<Configuration> {
  const revisions = listers(Revision);

  return {
    kind: Configuration,
    conditions: { ready: ["Ready"] },
    owns: [asKind(Revision)],

    async reconcile(configuration, status) {
      const key = { namespace: configuration.metadata.namespace ?? "", name: revisionName(configuration) };
      let revision = revisions.get(key);
      if (revision === undefined) {
        try {
          revision = await client.create(Revision, makeRevision(configuration, clock.now()));
          recorder.event(configuration, "Normal", "Created", `Created Revision "${key.name}"`);
        } catch (error) {
          if (
            !isPortError(error, "Invalid") &&
            !isPortError(error, "Forbidden") &&
            !isPortError(error, "BadRequest")
          )
            throw error;
          status.mark(
            "Ready",
            no("RevisionFailed", `Revision creation failed with message: ${error.message}.`),
          );
          recorder.event(
            configuration,
            "Warning",
            "CreationFailed",
            `Failed to create Revision: ${error.message}`,
          );
          return;
        }
      }
      if (!belongs(revision, configuration)) {
        status.mark("Ready", nameTaken(key.name));
        return;
      }
      status.set({ latestCreatedRevisionName: revision.metadata.name });

      const latestReady = newest(revisions.controlledBy(configuration.metadata.uid ?? "").filter(isReady));
      if (
        latestReady !== undefined &&
        latestReady.metadata.name !== configuration.status?.latestReadyRevisionName
      ) {
        recorder.event(
          configuration,
          "Normal",
          "LatestReadyUpdate",
          `LatestReadyRevisionName updated to "${latestReady.metadata.name}"`,
        );
      }
      status.set({ latestReadyRevisionName: latestReady?.metadata.name });
      status.mark("Ready", judgeRevision(revision));
    },
  };
}

/** The Revision's own reason and message, unchanged: a cause is not wrapped on its way up. */
function judgeRevision(revision: Revision): Judgement {
  const ready = conditionOf(revision, "Ready");
  if (isReady(revision)) return yes;
  if (ready?.status === "False") return no(ready.reason ?? "", ready.message ?? "");
  return unknown(ready?.reason ?? "", ready?.message ?? "");
}

function belongs(revision: Revision, configuration: Configuration): boolean {
  return (
    revision.metadata.ownerReferences?.some((owner) => owner.uid === configuration.metadata.uid) ?? false
  );
}

function nameTaken(name: string): Judgement {
  return no(
    "RevisionFailed",
    `Revision creation failed with message: revisions.serving.knative.dev "${name}" already exists.`,
  );
}

function newest(revisions: readonly Revision[]): Revision | undefined {
  return [...revisions].sort((a, b) => generationOf(b) - generationOf(a))[0];
}

function generationOf(revision: Revision): number {
  return Number(revision.metadata.labels?.[serving.configurationGeneration] ?? 0);
}
