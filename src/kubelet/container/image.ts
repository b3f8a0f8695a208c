// Making a container's image ready, telling users what it takes, and trying again when it fails.
import type { Container } from "../../domain/apis/core/container.types.js";
import type { ResolvedImage } from "../../ports/index.js";
import { afterEnd, noBackoff } from "../backoff.js";
import { endShownMs, progressEveryMs } from "../limits.js";
import { waiting } from "../status/facts.js";
import { pause } from "../times.js";
import type { PodWorld } from "../world.js";

/** undefined when the pod ended first. */
export async function pullImage(container: Container, world: PodWorld): Promise<ResolvedImage | undefined> {
  const { clock, recorder } = world.deps;
  const name = JSON.stringify(container.image);
  let backoff = afterEnd(noBackoff, 0);
  while (!world.ending.aborted) {
    const pulled = await tryPull(container, world);
    if (world.ending.aborted) return undefined;
    if ("image" in pulled) return pulled.image;

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
  world: PodWorld,
): Promise<{ readonly image: ResolvedImage } | { readonly because: string }> {
  const { images, recorder, clock } = world.deps;
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
    const found = await images.resolve(container.image);
    if (found.outcome === "missing") return { because: found.because };
    const { env } = await images.ensure(found.image, { signal: world.ending, onProgress });
    if (toldMs !== Number.NEGATIVE_INFINITY) world.note(container.name, { state: resting });
    const took = ((clock.now() - startedMs) / 1000).toFixed(3);
    const message =
      toldMs === Number.NEGATIVE_INFINITY
        ? `Container image ${name} already present on machine`
        : `Successfully pulled image ${name} in ${took}s`;
    recorder.event(world.pod(), "Normal", "Pulled", message);
    return { image: { ...found.image, env: { ...found.image.env, ...env } } };
  } catch (error) {
    return { because: error instanceof Error ? error.message : String(error) };
  }
}
