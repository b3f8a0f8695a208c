/**
 * What a Revision's images mean now. Registries are slow, so they are asked beside the reconciles: the first answer
 * wakes the Revision, and failures are asked again, later each time. Another wish (a corrected Secret, say) is asked
 * at once.
 */
import type { RegistriesConfig } from "../../../domain/apis/config/index.js";
import type { Container } from "../../../domain/apis/core/container.types.js";
import { imageParts } from "../../../domain/apis/serving/imageParts.js";
import { isImageReference } from "../../../domain/apis/serving/imageReference.js";
import type { Clock, DigestAnswer, ImageDigests, Key, RegistryCredentials } from "../../../ports/index.js";
import { digestFirstAgainMs, digestLastAgainMs } from "../limits.js";
import { turns } from "./turns.js";

export type Digests = readonly {
  readonly name?: string | undefined;
  readonly imageDigest?: string | undefined;
}[];

export interface PinnedImages {
  readonly containers: Digests;
  readonly initContainers: Digests;
}

/** What is asked, and all that the answer depends on. */
export interface Wish {
  readonly images: readonly string[];
  readonly credentials: readonly RegistryCredentials[];
  readonly registries: RegistriesConfig;
  /** Registries whose images stay as they are written. */
  readonly skipping: readonly string[];
  readonly timeoutMs: number;
}

export type Found =
  | { readonly outcome: "asking"; readonly sinceMs: number }
  /** By image; empty for one that stays as it is written. */
  | { readonly outcome: "resolved"; readonly digests: ReadonlyMap<string, string> }
  | ({
      readonly outcome: "failed";
      readonly image: string;
      /** When it is asked again by itself; undefined when only a change will help. */
      readonly againInMs: number | undefined;
    } & Omit<Extract<DigestAnswer, { readonly outcome: "missing" }>, "outcome">);

export interface DigestDesk {
  /** The answer, or the last one while it is asked again. */
  ask(key: Key, uid: string, wish: Wish): Promise<Found>;
  /** Whoever is to be woken when there is something new. */
  onAnswer(wake: (key: Key) => void): void;
  /** Nobody of this name will ask again. */
  forget(key: Key): void;
}

interface Errand {
  readonly key: Key;
  /** Who asks, and what: another wish, or another object of the name, is another errand. */
  readonly wish: string;
  /** Somebody waits for the answer right now, and need not be woken for it. */
  isHeard: boolean;
  failures: number;
  running: Promise<void> | undefined;
  found: Found;
  againAtMs: number;
}

export function digestDesk(digests: ImageDigests, clock: Clock): DigestDesk {
  const errands = new Map<string, Errand>();
  const takeTurn = turns(clock);
  let wake: (key: Key) => void = () => undefined;

  async function run(errand: Errand, wish: Wish): Promise<void> {
    const answer = await takeTurn(() => askAll(digests, wish));
    errand.running = undefined;
    errand.found = answer;
    if (answer.outcome === "failed") {
      const delayMs = Math.min(digestFirstAgainMs * 2 ** errand.failures, digestLastAgainMs);
      errand.failures += 1;
      errand.againAtMs = clock.now() + Math.max(delayMs, answer.retryAfterMs ?? 0);
    }
    if (!errand.isHeard) wake(errand.key);
  }

  function errandOf(key: Key, wish: string): Errand {
    const before = errands.get(nameOf(key));
    if (before?.wish === wish) return before;
    const errand: Errand = {
      key,
      wish,
      isHeard: false,
      failures: 0,
      running: undefined,
      // What went wrong last stands until there is something new to say.
      found: before?.found.outcome === "failed" ? before.found : { outcome: "asking", sinceMs: clock.now() },
      againAtMs: 0,
    };
    errands.set(nameOf(key), errand);
    return errand;
  }

  return {
    async ask(key, uid, wish) {
      const errand = errandOf(key, JSON.stringify([uid, wish]));
      const isDue = errand.found.outcome !== "resolved" && errand.againAtMs <= clock.now();
      if (errand.running === undefined && isDue) {
        errand.running = run(errand, wish);
      }
      if (errand.running !== undefined) {
        errand.isHeard = true;
        await soon(errand.running, clock);
        errand.isHeard = false;
      }
      if (errand.found.outcome === "resolved") errands.delete(nameOf(key));
      if (errand.found.outcome !== "failed") return errand.found;
      // While it is asked again, the answer wakes.
      const isAsking = errand.running !== undefined;
      return { ...errand.found, againInMs: isAsking ? undefined : errand.againAtMs - clock.now() };
    },
    onAnswer: (listener) => {
      wake = listener;
    },
    forget: (key) => {
      errands.delete(nameOf(key));
    },
  };
}

function nameOf({ namespace, name }: Key): string {
  return `${namespace}/${name}`;
}

/** Digests of containers by name, as status has them. */
export function digestsOf(containers: readonly Container[], digests: ReadonlyMap<string, string>): Digests {
  return containers.map(({ name, image }) => ({ name, imageDigest: digests.get(image) ?? "" }));
}

async function askAll(digests: ImageDigests, wish: Wish): Promise<Found> {
  const images = [...new Set(wish.images)];
  const answers = await Promise.all(images.map((image) => askOne(digests, image, wish)));
  const found = new Map<string, string>();
  for (const [at, answer] of answers.entries()) {
    const image = images[at] ?? "";
    if (answer.outcome === "missing") return { ...answer, outcome: "failed", image, againInMs: 0 };
    found.set(image, answer.digest);
  }
  return { outcome: "resolved", digests: found };
}

async function askOne(digests: ImageDigests, image: string, wish: Wish): Promise<DigestAnswer> {
  if (!isImageReference(image)) {
    const because = `failed to parse image name ${JSON.stringify(image)} into a tag: could not parse reference`;
    return { outcome: "missing", because };
  }
  const { registry, digest } = imageParts(image);
  if (digest === undefined && wish.skipping.includes(registry)) return { outcome: "resolved", digest: "" };
  const { credentials, registries, timeoutMs } = wish;
  return digests.digestOf({ image, credentials, registries, timeoutMs });
}

/** What this machine knows itself is there within the turn; no look waits longer. */
function soon(running: Promise<void>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(0, resolve);
    void running.then(() => {
      cancel();
      resolve();
    });
  });
}
