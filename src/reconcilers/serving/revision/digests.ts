import type { Container } from "../../../domain/apis/core/container.types.js";
import type { Images } from "../../../ports/index.js";

export type Digests = readonly {
  readonly name?: string | undefined;
  readonly imageDigest?: string | undefined;
}[];

export interface PinnedImages {
  readonly containers: Digests;
  readonly initContainers: Digests;
}

/**
 * Pins each container's image to what its name means now, or says in the resolver's words why it cannot. Images of the
 * registries in `skipping` stay as they are written: their digest is empty (config-deployment).
 */
export async function resolveDigests(
  containers: readonly Container[],
  images: Images,
  skipping: readonly string[],
): Promise<Digests | { readonly because: string }> {
  const digests: { readonly name: string; readonly imageDigest: string }[] = [];
  for (const { name, image } of containers) {
    if (skipping.includes(registryOf(image))) {
      digests.push({ name, imageDigest: "" });
      continue;
    }
    const resolution = await images.resolve(image);
    if (resolution.outcome === "missing") {
      return {
        because: `Unable to fetch image '${image}': failed to resolve image to digest: ${resolution.because}`,
      };
    }
    digests.push({ name, imageDigest: resolution.image.digest });
  }
  return digests;
}

/** The host before the first slash, when it looks like one; else the registry that short names mean. */
function registryOf(image: string): string {
  const [first = "", rest] = image.split(/\/(.*)/s);
  return rest !== undefined && /[.:]|^localhost$/.test(first) ? first : "index.docker.io";
}
