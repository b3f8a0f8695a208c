// Digests, wherever an image is: in the catalogue of this machine, in a registry, or only in the engine here.
import type { Env, Registry } from "../adapters/registry/index.js";
import type { Engine, ImageDigests, Images } from "../ports/index.js";
import { version } from "./version.js";

/** Only an image from elsewhere needs the code that asks registries. */
export type LazyRegistry = () => Promise<Registry>;

export function lazyRegistry(env: Env): LazyRegistry {
  let opened: Promise<Registry> | undefined;
  return () => {
    opened ??= import("../adapters/registry/index.js").then(({ openRegistry }) =>
      openRegistry({ version, env }),
    );
    return opened;
  };
}

export function imageDigests(catalogue: Images, engine: Engine, registries: LazyRegistry): ImageDigests {
  return {
    async digestOf(question) {
      const local = await catalogue.resolve(question.image);
      if (local.outcome === "resolved") return { outcome: "resolved", digest: local.image.digest };
      if (local.isUnknown !== true) return { outcome: "missing", because: local.because };
      const answer = await (await registries()).digestOf(question);
      // Built here and never pushed, or gone from its registry since: what the engine has is what will run.
      if (answer.outcome === "missing" && answer.isNowhere === true && (await isInEngine(question.image))) {
        return { outcome: "resolved", digest: "" };
      }
      return answer;
    },
  };

  async function isInEngine(image: string): Promise<boolean> {
    const opened = await engine.open();
    return opened.outcome === "open" && (await opened.images.resolve(image)).outcome === "resolved";
  }
}
