/**
 * Models that are images (`oci://`): pinned like the others, or a moved tag would give the next pod of a Revision
 * another model. Status tells of them by upstream's name for the container that would hold one: modelcar.
 */
import type { Container } from "../../../domain/apis/core/container.types.js";
import type { Digests } from "./digests.js";

const initializer = "storage-initializer";
const scheme = /^oci(?:\+native|\+fetch)?:\/\//;

/** The images of models that an init container fetches, as they are written. */
export function modelImages(initContainers: readonly Container[]): readonly string[] {
  return initContainers.flatMap(({ name, args = [] }) =>
    name === initializer ? args.filter((arg) => scheme.test(arg)).map(imageOf) : [],
  );
}

export function modelDigests(
  initContainers: readonly Container[],
  digests: ReadonlyMap<string, string>,
): Digests {
  return modelImages(initContainers).map((image, at) => ({
    name: nameOf(at),
    imageDigest: digests.get(image) ?? "",
  }));
}

/** The same arguments, each model by its digest where it has one. */
export function withPinnedModels(
  { name, args }: Pick<Container, "name" | "args">,
  pinned: Digests,
): Pick<Container, "args"> {
  if (name !== initializer || args === undefined) return args === undefined ? {} : { args };
  let at = 0;
  return {
    args: args.map((arg) => {
      const [start] = scheme.exec(arg) ?? [];
      if (start === undefined) return arg;
      const modelcar = nameOf(at++);
      const digest = pinned.find((one) => one.name === modelcar)?.imageDigest;
      return digest ? `${start}${digest}` : arg;
    }),
  };
}

function imageOf(uri: string): string {
  return uri.replace(scheme, "");
}

function nameOf(at: number): string {
  return at === 0 ? "modelcar" : `modelcar-${at}`;
}
