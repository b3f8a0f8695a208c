// Plays a story in a world: the same reconcilers, registry and words as an instance has, on a clock moved by hand.
import { makeRecorder } from "../../src/controller/index.js";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import { apiVersionOf, type Kind, type Resource } from "../../src/domain/apis/kind.js";
import { dice, type Fate, type Fault, type ServingWorld, startServingWorld, told } from "../world/index.js";
import { durationMs, type Misfortune, type PodFate, type Step, type Story } from "./story.js";

export interface Played {
  readonly world: ServingWorld;
  /** What the story is about: the topmost object it applied. */
  readonly top: () => Resource | undefined;
  /** From the last thing that was done to the last word that the top said. */
  readonly tookMs: () => number;
  play(steps: readonly Step[]): Promise<void>;
  /** What was wanted and not so. */
  readonly unmet: readonly string[];
  close(): Promise<void>;
}

/** Whose Ready a user looks at first. */
const levels = [
  "InferenceService",
  "DomainMapping",
  "Service",
  "Configuration",
  "Revision",
  "Route",
  "Build",
];

function topmost(given: readonly Resource[]): string {
  const heads = given.filter(({ apiVersion, kind }) => apiVersion !== "v1" && levels.includes(kind));
  const [head] = heads.sort((a, b) => levels.indexOf(a.kind) - levels.indexOf(b.kind));
  if (head === undefined) throw new Error("nothing is given that becomes ready");
  return `${head.kind}/${head.metadata.name}`;
}

export async function startPlay(story: Story): Promise<Played> {
  let now: Misfortune = {};
  const refusals = [...story.steps, ...story.after]
    .flatMap((step) => ("misfortune" in step ? (step.misfortune.api ?? []) : []))
    .map(
      (refusal): Fault => ({
        kind: refusal.kind,
        reason: refusal.reason,
        message: refusal.message,
        // Asked anew at each request, so that a refusal can be lifted.
        get verb() {
          return now.api?.includes(refusal) ? refusal.verb : ("none" as never);
        },
      }),
    );
  const world = await startServingWorld({
    faults: refusals,
    missing: (image) => now.images?.[image],
    answers: () => now.gateway,
  });
  const kindOf = (object: { readonly kind: string; readonly apiVersion?: string }): Kind => {
    const found = world.kinds.find(
      (kind) =>
        kind.kind === object.kind &&
        (object.apiVersion === undefined
          ? kind.group !== "" || !served(object.kind)
          : apiVersionOf(kind) === object.apiVersion),
    );
    if (found === undefined) throw new Error(`${story.name}: no kind ${object.apiVersion} ${object.kind}`);
    return found;
  };
  const served = (name: string) => world.kinds.some((kind) => kind.kind === name && kind.group !== "");

  const { clock } = world;
  const recorder = makeRecorder({
    ...world.deps,
    client: world.client,
    random: dice(7),
    component: "drydock",
  });
  let heard = 0;
  let actedMs = clock.now();
  let saidMs = clock.now();
  let said = "";
  const unmet: string[] = [];
  const headPath = story.top ?? topmost(story.given);
  const headKind = kindOf({ kind: headPath.split("/")[0] ?? "" });
  const top = () => get(headPath);
  world.informers.of(headKind).subscribe(({ object }) => {
    if (object.metadata.name !== headPath.split("/")[1] || told(object) === said) return;
    said = told(object);
    saidMs = clock.now();
  });

  function get(path: string): Resource | undefined {
    const [kindName = "", ...rest] = path.split("/");
    const kind = kindOf({ kind: kindName });
    const [name = "", namespace = kind.namespaced ? "default" : ""] = rest.reverse();
    // A name that ends in dice is written with a star.
    if (name.endsWith("*"))
      return world.list(kind, namespace).find((one) => one.metadata.name.startsWith(name.slice(0, -1)));
    return world.get(kind, `${namespace}/${name}`);
  }

  const struck = new Map<PodFate, Set<string>>();

  function fateOf(pod: Pod): Fate {
    const { uid = "" } = pod.metadata;
    const fits = (fate: PodFate) => {
      const met = struck.get(fate) ?? new Set();
      if (!met.has(uid) && met.size >= (fate.times ?? Number.POSITIVE_INFINITY)) return false;
      return Object.entries(fate.of ?? {}).every(([key, value]) => {
        const full = key.includes("/") ? key : `serving.knative.dev/${key}`;
        return pod.metadata.labels?.[full] === value;
      });
    };
    const fate = now.pods?.find(fits);
    if (fate === undefined) return { is: "ready" };
    struck.set(fate, new Set([...(struck.get(fate) ?? []), uid]));
    return fate;
  }

  async function meet(misfortune: Misfortune): Promise<void> {
    now = misfortune;
    world.kubelet.decide(fateOf);
    await world.settle();
  }

  async function apply(objects: readonly Resource[]): Promise<void> {
    for (const { apiVersion, kind, ...object } of objects) {
      const of = kindOf({ apiVersion, kind });
      const namespace = object.metadata.namespace ?? "default";
      const metadata = of.namespaced ? { ...object.metadata, namespace } : object.metadata;
      await world.apply(of, { ...object, metadata } as Resource);
    }
  }

  /** Second by second, so that events are told when they happen. */
  async function advance(ms: number): Promise<void> {
    const stepMs = ms > 120_000 ? 10_000 : 1000;
    for (let left = ms; left > 0; left -= stepMs) {
      await world.advance(Math.min(left, stepMs));
      await tellEvents();
    }
  }

  async function tellEvents(): Promise<void> {
    for (const event of world.events.slice(heard)) {
      const [, path = "", type = "", reason = "", message = ""] =
        /^(\S+) (\w+) (\w+): (.*)$/s.exec(event) ?? [];
      const object = path.startsWith("Pod/") ? world.get(Pod, `default/${path.slice(4)}`) : get(path);
      if (object !== undefined) recorder.event(object, type as "Normal", reason, message);
    }
    heard = world.events.length;
    await world.drain();
  }

  function check(wants: Readonly<Record<string, string>>): void {
    for (const [what, want] of Object.entries(wants)) {
      const [path = "", condition] = what.split(" ");
      const got = condition === "exists" ? String(get(path) !== undefined) : told(get(path), condition);
      // A want without a reason or a message is content with any.
      const rest = got.startsWith(want) ? got.slice(want.length) : "no";
      if (rest !== "" && !/^:? /.test(rest)) unmet.push(`${what}: wanted ${want}\n    got ${got}`);
    }
  }

  async function play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if ("wants" in step) {
        check(step.wants);
        continue;
      }
      if ("advance" in step) {
        await advance(durationMs(step.advance));
        continue;
      }
      actedMs = clock.now();
      if ("traffic" in step) {
        for (const [revision, count] of Object.entries(step.traffic))
          await world.traffic(`default/${revision}`, count);
        continue;
      }
      if ("misfortune" in step) await meet({ ...now, ...step.misfortune });
      else if ("heal" in step) {
        const left = Object.entries(now).filter(
          ([part]) => step.heal !== "all" && !step.heal.includes(part as never),
        );
        await meet(Object.fromEntries(left));
      } else if ("apply" in step) await apply(step.apply === "given" ? story.given : step.apply);
      else if ("delete" in step) {
        const object = get(step.delete);
        if (object === undefined) throw new Error(`${story.name}: there is no ${step.delete}`);
        const { namespace = "", name } = object.metadata;
        await world.remove(
          kindOf({ kind: object.kind, apiVersion: object.apiVersion }),
          `${namespace}/${name}`,
        );
      } else {
        for (const [path, patch] of Object.entries(step.change)) {
          const object = get(path);
          if (object === undefined) throw new Error(`${story.name}: there is no ${path}`);
          const { namespace = "", name } = object.metadata;
          await world.client.patch(kindOf(object), { namespace, name }, patch, { type: "merge" });
          await world.settle();
        }
      }
      await tellEvents();
    }
  }

  return {
    world,
    top,
    tookMs: () => Math.max(0, saidMs - actedMs),
    play,
    unmet,
    close: () => world.close(),
  };
}
