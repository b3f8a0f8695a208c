// What can be done for pods that are not there yet: their programs wait loaded, and are awake when one is told.
import type { PodSpec } from "../domain/apis/core/pod.types.js";
import type { KubeletDeps } from "./deps.js";

type ForesightDeps = Pick<KubeletDeps, "images" | "sandbox">;

export function foresight({ images, sandbox }: ForesightDeps, signal: AbortSignal) {
  const containersOf = ({ initContainers = [], containers }: PodSpec) => [...initContainers, ...containers];

  return {
    async warm(spec: PodSpec): Promise<void> {
      for (const container of containersOf(spec)) {
        const found = await images.resolve(container.image);
        if (found.outcome === "missing" || found.image.warms !== true || signal.aborted) continue;
        try {
          const { env } = await images.ensure(found.image, { signal, onProgress() {} });
          sandbox.warm?.({ ...found.image, env: { ...found.image.env, ...env } });
        } catch {
          // The pod that needs it tells why it cannot be had.
        }
      }
    },
    stir(spec: PodSpec): void {
      for (const container of containersOf(spec))
        void images.resolve(container.image).then((found) => {
          // What can do without its process is not woken to be left out.
          if (found.outcome === "resolved" && found.image.inside === undefined) sandbox.stir?.(found.image);
        });
    },
  };
}
