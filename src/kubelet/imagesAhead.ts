/**
 * Images that will be wanted soon (caching.internal.knative.dev): fetched into the engine before a pod asks for them, so
 * that its start is none of the download. One at a time, and after those whom somebody waits for.
 */
import type { Informers } from "../controller/index.js";
import { Image } from "../domain/apis/caching/image.types.js";
import { isoSeconds } from "../domain/apis/meta/time.js";
import { isPortError } from "../ports/index.js";
import type { KubeletDeps } from "./deps.js";
import { fetchAheadAfterMs } from "./limits.js";
import { pause } from "./times.js";

type AheadDeps = Pick<KubeletDeps, "client" | "clock" | "engine" | "images" | "log" | "imageCredentials">;

export function fetchImagesAhead(deps: AheadDeps, informers: Informers, over: AbortSignal): void {
  const { client, clock, engine, log } = deps;
  if (engine === undefined) return;
  const known = new Set<string>();
  let queue: Promise<void> = Promise.resolve();

  informers.of(Image).subscribe(({ type, object }) => {
    const uid = object.metadata.uid ?? "";
    if (type === "deleted") known.delete(uid);
    else if (!known.has(uid)) {
      known.add(uid);
      queue = queue
        .then(() => (known.has(uid) && !over.aborted ? bring(object) : undefined))
        .catch((error: unknown) =>
          log.error("image not fetched ahead", { image: object.spec?.image, error: String(error) }),
        );
    }
  });

  async function bring(object: Image): Promise<void> {
    const image = object.spec?.image ?? "";
    const ours = await deps.images.resolve(image);
    if (ours.outcome === "resolved" || ours.isUnknown !== true) return;
    // A pod that came with it fetches it already.
    await pause(clock, fetchAheadAfterMs, over);
    const opened = await engine!.open();
    if (over.aborted || opened.outcome === "missing") return;
    const { namespace = "" } = object.metadata;
    const fetched = await opened.images.fetch?.(image, {
      policy: "IfNotPresent",
      credentials: (await deps.imageCredentials?.(namespace, object.spec ?? {}, image)) ?? [],
      signal: over,
      onProgress: () => {},
    });
    if (fetched === undefined || over.aborted) return;
    await tell(object, fetched.outcome === "present" ? undefined : fetched);
  }

  async function tell(
    { metadata: { namespace = "", name, uid, generation } }: Image,
    failed: { readonly reason: string; readonly because: string } | undefined,
  ): Promise<void> {
    const ready = {
      type: "Ready",
      status: failed === undefined ? "True" : "False",
      lastTransitionTime: isoSeconds(clock.now()),
      ...(failed !== undefined && { reason: failed.reason, message: failed.because }),
    };
    const status = { observedGeneration: generation, conditions: [ready] };
    await client
      .patch(
        Image,
        { namespace, name },
        { metadata: { uid }, status },
        { type: "merge", subresource: "status" },
      )
      .catch((error: unknown) => {
        if (!isPortError(error, "NotFound") && !isPortError(error, "Conflict")) throw error;
      });
  }
}
