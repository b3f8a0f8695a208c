/**
 * Whatever happens, in whatever order: once at rest, status says the deepest live cause, a second look writes nothing,
 * nobody is orphaned and nothing green is broken. DRYDOCK_ROUNDS asks for more rounds, DRYDOCK_SEED for other ones.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Deployment } from "../../src/domain/apis/apps/apps.types.js";
import { ResourceQuota } from "../../src/domain/apis/core/namespace.types.js";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import type { Kind, Resource } from "../../src/domain/apis/kind.js";
import { InferenceService } from "../../src/domain/apis/kserve/inferenceService.types.js";
import { Configuration } from "../../src/domain/apis/serving/configuration.types.js";
import { Revision } from "../../src/domain/apis/serving/revision.types.js";
import { Route } from "../../src/domain/apis/serving/route.types.js";
import { KnativeService } from "../../src/domain/apis/serving/service.types.js";
import {
  type Fate,
  type Fault,
  minutes,
  type RunningWorld,
  seconds,
  startServingWorld,
  told,
  type Verb,
} from "../world/index.js";

const rounds = Number(process.env["DRYDOCK_ROUNDS"] ?? 25);

type Who = "ann" | "bob" | "iris";

type Act =
  | { readonly act: "apply"; readonly who: Who; readonly image: string }
  | { readonly act: "delete" | "deleteRevision" | "deletePod"; readonly who: Who }
  | { readonly act: "fate"; readonly image: string; readonly fate: Fate }
  | { readonly act: "missing"; readonly image: string; readonly is: boolean }
  | { readonly act: "gateway"; readonly answers: boolean }
  | { readonly act: "quota"; readonly pods: number }
  | { readonly act: "advance"; readonly ms: number };

/** Who sleeps is rightly green, whatever its next pod will be: these keep a pod to be true about. */
const kept = { "autoscaling.knative.dev/min-scale": "1" };

/** More pods than any story makes. */
const plenty = 100;

const who = fc.constantFrom<Who>("ann", "bob", "iris");
const image = fc.constantFrom("img:1", "img:2", "img:3");
const fate = fc.constantFrom<Fate>(
  { is: "ready" },
  { is: "ready" },
  { is: "running" },
  { is: "pending" },
  { is: "crashing", exitCode: 3, message: "three" },
  { is: "crashing", exitCode: 137, message: "Killed" },
  { is: "crashing", exitCode: 1, message: "again", restarts: 4 },
  { is: "waiting", reason: "CreateContainerConfigError", message: 'configmap "c" not found' },
  { is: "waiting", reason: "ImagePullBackOff", message: "no such tag" },
  { is: "unschedulable", message: "0/1 nodes are available: 1 Insufficient memory." },
);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant("apply" as const), who, image }) },
  { weight: 6, arbitrary: fc.record({ act: fc.constant("fate" as const), image, fate }) },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant("missing" as const), image, is: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constantFrom("delete" as const, "deleteRevision" as const, "deletePod" as const),
      who,
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("gateway" as const), answers: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant("quota" as const), pods: fc.constantFrom(0, 1, plenty) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant("advance" as const),
      ms: fc.constantFrom(seconds(1), seconds(30), minutes(3), minutes(60)),
    }),
  },
);

/** The API stumbles this often, at whatever comes first. */
const stumble: fc.Arbitrary<Fault> = fc
  .record({
    verb: fc.constantFrom<Verb>("create", "update", "updateStatus", "patch", "delete"),
    kind: fc.constantFrom(
      "Revision",
      "Deployment",
      "ReplicaSet",
      "Pod",
      "Route",
      "Service",
      "Ingress",
      "PodAutoscaler",
    ),
    reason: fc.constantFrom("ServerTimeout" as const, "Conflict" as const),
    message: fc.constant("the API stumbles"),
    times: fc.integer({ min: 1, max: 3 }),
  })
  // Of a deletion, a conflict says that the object is another one by now: it is not to be tried again.
  .filter(({ verb, reason }) => reason !== "Conflict" || verb.startsWith("update"));

test("whatever happens, status at rest is true", async () => {
  const acts = fc.array(act, { minLength: 3, maxLength: 14 });
  const stumbles = fc.array(stumble, { maxLength: 2 });
  await fc.assert(fc.asyncProperty(acts, stumbles, live), {
    numRuns: rounds,
    // Finding the shortest story takes minutes, so it is done only when asked for.
    endOnFailure: process.env["DRYDOCK_SHRINK"] === undefined,
    reporter: (run) => {
      if (run.failed)
        throw new Error(storyText(run.counterexample, run.errorInstance, run.seed), {
          cause: run.errorInstance,
        });
    },
  });
}, 1_800_000);

function storyText(
  story: readonly [readonly Act[], readonly Fault[]] | null,
  error: unknown,
  seed: number,
): string {
  const [acts = [], stumbles = []] = story ?? [];
  const lines = [...stumbles, ...acts].map((one) => `  ${JSON.stringify(one)}`);
  const why = error instanceof Error ? error.message : String(error);
  return `after\n${lines.join("\n")}\n${why}\nDRYDOCK_SEED=${seed} DRYDOCK_SHRINK=1 tells the shortest such story`;
}

/** What was done so far, kept apart from the world: expectations are made of this alone. */
interface Told {
  readonly images: Map<Who, string>;
  readonly fates: Map<string, Fate>;
  readonly missing: Set<string>;
  /** Every cause that an image ever had: one of them may outlive its pods. */
  readonly past: Map<string, Set<string>>;
  gatewayAnswers: boolean;
  quotaPods: number;
}

async function live(acts: readonly Act[], stumbles: readonly Fault[]): Promise<void> {
  const story: Told = {
    images: new Map(),
    fates: new Map(),
    missing: new Set(),
    past: new Map(),
    gatewayAnswers: true,
    quotaPods: plenty,
  };
  const world = await startServingWorld({
    faults: stumbles,
    missing: (name) => (story.missing.has(name) ? `${name}: not found` : undefined),
    answers: () => (story.gatewayAnswers ? undefined : { status: 404 }),
  });
  world.kubelet.decide((pod) => story.fates.get(imageOf(pod)) ?? { is: "ready" });
  try {
    for (const one of acts) await happen(world, story, one);
    await world.advance(minutes(61));
    const before = world.writes();
    await world.advance(minutes(61));
    expect(world.writes(), "at rest, time alone writes").toBe(before);
    // A gateway that stopped answering is news to whoever asks it once more.
    if (story.gatewayAnswers) {
      await world.lookAgain();
      expect(world.writes(), "a second look writes").toBe(before);
    }
    for (const [name, image] of story.images) {
      expectTruth(world, story, name, image);
      expectGreenServes(world, serviceOf(name));
    }
    expect(orphans(world), "orphans").toEqual([]);
    for (const name of [...story.images.keys()]) await happen(world, story, { act: "delete", who: name });
    await world.advance(minutes(5));
    expect(left(world), "left when all is deleted").toEqual([]);
    expect(orphans(world), "orphans").toEqual([]);
  } finally {
    await world.close();
  }
}

async function happen(world: RunningWorld, story: Told, one: Act): Promise<void> {
  switch (one.act) {
    case "apply": {
      story.images.set(one.who, one.image);
      const metadata = { name: one.who, namespace: "default" };
      const containers = [{ name: "kserve-container", image: one.image }];
      await (one.who === "iris"
        ? world.apply(InferenceService, { metadata, spec: { predictor: { containers } } } as never)
        : world.apply(KnativeService, {
            metadata,
            spec: { template: { metadata: { annotations: kept }, spec: { containers } } },
          } as never)
      ).catch(unlessBusy);
      return;
    }
    case "fate":
      story.fates.set(one.image, one.fate);
      remember(story, one.image, causeOf(one.fate));
      world.kubelet.decide((pod) => story.fates.get(imageOf(pod)) ?? { is: "ready" });
      return world.settle().catch(unlessBusy);
    case "missing":
      if (one.is) story.missing.add(one.image);
      else story.missing.delete(one.image);
      remember(story, one.image, "ContainerMissing");
      return;
    case "gateway":
      story.gatewayAnswers = one.answers;
      return;
    case "quota": {
      story.quotaPods = one.pods;
      const quota = {
        metadata: { name: "few", namespace: "default" },
        spec: { hard: { pods: `${one.pods}` } },
      };
      await world.apply(ResourceQuota, quota as never).catch(unlessBusy);
      return;
    }
    case "advance":
      return world.advance(one.ms).catch(unlessBusy);
    case "delete": {
      if (!story.images.delete(one.who)) return;
      const kind = (one.who === "iris" ? InferenceService : KnativeService) as unknown as Kind;
      return world.remove(kind, `default/${one.who}`).catch(unlessBusy);
    }
    case "deleteRevision":
    case "deletePod": {
      const latest = world.get(Configuration, `default/${serviceOf(one.who)}`)?.status
        ?.latestCreatedRevisionName;
      const named = ({ metadata }: Resource) =>
        metadata.name === latest || metadata.labels?.["serving.knative.dev/revision"] === latest;
      const kind = (one.act === "deletePod" ? Pod : Revision) as Kind;
      const found = latest === undefined ? undefined : world.list(kind, "default").find(named);
      if (found !== undefined) await world.remove(kind, `default/${found.metadata.name}`).catch(unlessBusy);
    }
  }
}

/** A reconciler whose request was refused waits a moment; the story goes on meanwhile. */
function unlessBusy(error: unknown): void {
  if (!/wait for time/.test(String(error))) throw error;
}

function serviceOf(name: Who): string {
  return name === "iris" ? "iris-predictor" : name;
}

function imageOf(pod: Pod): string {
  return pod.spec?.containers[0]?.image.split("@")[0] ?? "";
}

function remember(story: Told, image: string, cause: string | undefined): void {
  if (cause === undefined) return;
  story.past.set(image, new Set([...(story.past.get(image) ?? []), cause]));
}

/** In the documents' words; undefined for a pod that says nothing itself. */
function causeOf(fate: Fate): string | undefined {
  if (fate.is === "unschedulable") return "Unschedulable";
  if (fate.is === "crashing") return `ExitCode${fate.exitCode}`;
  if (fate.is !== "waiting") return undefined;
  return fate.reason === "ImagePullBackOff" ? "ContainerMissing" : fate.reason;
}

function expectTruth(world: RunningWorld, story: Told, name: Who, image: string): void {
  const service = serviceOf(name);
  const configuration = world.get(Configuration, `default/${service}`);
  const latest = configuration?.status?.latestCreatedRevisionName ?? "";
  const revision = world.get(Revision, `default/${latest}`);
  const said = told(world.get(KnativeService, `default/${service}`));
  const [status = "", reason = ""] = said.split(/:? /);
  const about = `${service} on ${image} says "${said}"`;

  const deployment = world.get(Deployment, `default/${latest}-deployment`);
  const fate = story.fates.get(image) ?? { is: "ready" };
  // What is placed already does not lose its place.
  const live = fate.is === "unschedulable" ? undefined : causeOf(fate);
  const past = [...(story.past.get(image) ?? []), "ProgressDeadlineExceeded", "FailedCreate"];
  if (revision === undefined) expect([status, reason], about).toEqual(["False", "RevisionMissing"]);
  else if (deployment === undefined) {
    expect(story.missing.has(image), `${about} has no Deployment though the image is there`).toBe(true);
    expect([status, reason], about).toEqual(["False", "ContainerMissing"]);
  } else if (deployment.spec?.replicas === 0) {
    expect(status, about).toBe("False");
    expect(past, about).toContain(reason);
  } else if (story.quotaPods < plenty) {
    // Who of them all had room is the quota's to say; whoever had none says so.
    if (status !== "True") expect([...past, "ContainersNotReady"], about).toContain(reason);
  } else if (fate.is === "ready" && !story.gatewayAnswers) {
    const stuck = "False ProgressDeadlineExceeded: Unable to update traffic split for more than 120 seconds.";
    expect(["True", stuck], about).toContain(said);
  } else if (fate.is === "ready") expect(said, about).toBe("True");
  else if (live !== undefined) expect([status, reason], about).toEqual(["False", live]);
  else {
    expect(status, about).toBe("False");
    expect([...past, "ContainersNotReady"], about).toContain(reason);
  }
  if (told(revision).startsWith("False")) {
    expect(told(revision), "words on their way up").toBe(said);
    expect(told(configuration), "words on their way up").toBe(said);
  }
  if (name === "iris")
    expect(told(world.get(InferenceService, "default/iris")), "the InferenceService").toBe(said);
}

/** True only if every Revision with traffic has a pod that is ready, or sleeps by design. */
function expectGreenServes(world: RunningWorld, service: string): void {
  if (told(world.get(KnativeService, `default/${service}`)) !== "True") return;
  const traffic = world.get(Route, `default/${service}`)?.status?.traffic ?? [];
  expect(traffic.length, `${service} is green and routes nothing`).toBeGreaterThan(0);
  for (const { revisionName } of traffic) {
    const pods = world
      .list(Pod, "default")
      .filter(({ metadata }) => metadata.labels?.["serving.knative.dev/revision"] === revisionName);
    const ready = pods.filter(({ status }) =>
      status?.conditions?.some((one) => one.type === "Ready" && one.status === "True"),
    );
    expect(ready.length, `${service} is green, ${revisionName} has no ready pod`).toBeGreaterThan(0);
  }
}

function all(world: RunningWorld): readonly Resource[] {
  return world.kinds.flatMap((kind) => world.list(kind));
}

function orphans(world: RunningWorld): readonly string[] {
  const objects = all(world);
  const uids = new Set(objects.map(({ metadata }) => metadata.uid));
  return objects
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => !uids.has(uid)))
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}

/** What a namespace has by itself is not left over. */
function left(world: RunningWorld): readonly string[] {
  return all(world)
    .filter(
      ({ kind, metadata }) =>
        metadata.namespace === "default" &&
        !["ServiceAccount", "ConfigMap", "Event", "ResourceQuota"].includes(kind),
    )
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}
