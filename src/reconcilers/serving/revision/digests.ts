import type { Revision } from "../../../domain/apis/serving/revision.types.js";
import type { Images } from "../../../ports/index.js";

export type Digests = readonly {
  readonly name?: string | undefined;
  readonly imageDigest?: string | undefined;
}[];

/** Pins each container's image to what its name means now, or says in the resolver's words why it cannot. */
export async function resolveDigests(
  revision: Revision,
  images: Images,
): Promise<Digests | { readonly because: string }> {
  const digests: { readonly name: string; readonly imageDigest: string }[] = [];
  for (const { name, image } of revision.spec.containers) {
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
