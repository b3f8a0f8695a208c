// Making a container's image ready, telling users what it takes, and trying again when it fails.
import type { Container } from "../../domain/apis/core/container.types.js";
import type { PullPolicy, ResolvedImage } from "../../ports/index.js";
import { afterEnd, noBackoff } from "../backoff.js";
import { endShownMs, progressEveryMs } from "../limits.js";
import type { Place } from "../place.js";
import { waiting } from "../status/facts.js";
import { pause } from "../times.js";
import type { PodWorld } from "../world.js";

export interface Pulled {
  readonly image: ResolvedImage;
  readonly place: Place;
}

/** undefined when the pod ended first. */
export async function pullImage(
  container: Container,
  role: "init" | "sidecar" | "main",
  world: PodWorld,
): Promise<Pulled | undefined> {
  const { clock, recorder } = world.deps;
  const name = JSON.stringify(container.image);
  let backoff = afterEnd(noBackoff, 0);
  while (!world.ending.aborted) {
    const pulled = await tryPull(container, role, world);
    if (world.ending.aborted) return undefined;
    if ("image" in pulled) return pulled;
    if (pulled.reason !== "ErrImagePull") {
      recorder.event(world.pod(), "Warning", pulled.reason, pulled.because);
      recorder.event(world.pod(), "Warning", "Failed", `Error: ${pulled.reason}`);
      world.note(container.name, { state: waiting(pulled.reason, pulled.because) });
      backoff = afterEnd(backoff, 0);
      await pause(clock, backoff.delayMs, world.ending);
      continue;
    }

    recorder.event(world.pod(), "Warning", "Failed", `Failed to pull image ${name}: ${pulled.because}`);
    recorder.event(world.pod(), "Warning", "Failed", "Error: ErrImagePull");
    world.note(container.name, { state: waiting("ErrImagePull", pulled.because) });
    await pause(clock, endShownMs, world.ending);

    backoff = afterEnd(backoff, 0);
    recorder.event(world.pod(), "Normal", "BackOff", `Back-off pulling image ${name}`);
    recorder.event(world.pod(), "Warning", "Failed", "Error: ImagePullBackOff");
    const message = `Back-off pulling image ${name}: ErrImagePull: ${pulled.because}`;
    world.note(container.name, { state: waiting("ImagePullBackOff", message) });
    await pause(clock, backoff.delayMs - endShownMs, world.ending);
  }
  return undefined;
}

async function tryPull(
  container: Container,
  role: "init" | "sidecar" | "main",
  world: PodWorld,
): Promise<Pulled | { readonly reason: string; readonly because: string }> {
  const { recorder, clock } = world.deps;
  const name = JSON.stringify(container.image);
  const startedMs = clock.now();
  const resting = world.facts(container.name).state;
  let toldMs = Number.NEGATIVE_INFINITY;
  const onProgress = (message: string) => {
    if (toldMs === Number.NEGATIVE_INFINITY) {
      recorder.event(world.pod(), "Normal", "Pulling", `Pulling image ${name}`);
    }
    world.progressed();
    if (clock.now() - toldMs < progressEveryMs) return;
    toldMs = clock.now();
    const reason = resting.waiting?.reason;
    const isResting = reason === "PodInitializing" || reason === "ContainerCreating";
    world.note(container.name, { state: waiting(isResting ? reason : "ContainerCreating", message) });
  };
  try {
    const place = await world.place(container, role);
    if ("because" in place) return failed(place.because);
    const { images } = place;
    if (images.fetch !== undefined) {
      const fetched = await images.fetch(container.image, {
        policy: (container.imagePullPolicy ?? "IfNotPresent") as PullPolicy,
        credentials: (await world.deps.pullCredentials?.(world.ref, container.image)) ?? [],
        signal: world.ending,
        onProgress,
      });
      if (fetched.outcome === "failed") return fetched;
    }
    const found = await images.resolve(container.image);
    if (found.outcome === "missing") return failed(found.because);
    const { env } = await images.ensure(found.image, { signal: world.ending, onProgress });
    if (toldMs !== Number.NEGATIVE_INFINITY) world.note(container.name, { state: resting });
    const took = ((clock.now() - startedMs) / 1000).toFixed(3);
    const message =
      toldMs === Number.NEGATIVE_INFINITY
        ? `Container image ${name} already present on machine`
        : `Successfully pulled image ${name} in ${took}s`;
    recorder.event(world.pod(), "Normal", "Pulled", message);
    return { image: { ...found.image, env: { ...found.image.env, ...env } }, place };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function failed(because: string): { readonly reason: string; readonly because: string } {
  return { reason: "ErrImagePull", because };
}
