/**
 * A process has no file system of its own: where its arguments name a mount path, the real directory is put there
 * instead. A path counts where it stands alone or begins a longer path, not in the middle of a word or a URL.
 */
import type { ContainerSpec, SandboxMount } from "../../ports/index.js";

export type Rewrite = (text: string) => string;

export function pathRewriter(mounts: readonly SandboxMount[]): Rewrite {
  const real = new Map(mounts.map((mount) => [trimmed(mount.containerPath), mount.hostPath]));
  real.delete("");
  if (real.size === 0) return (text) => text;
  const longestFirst = [...real.keys()].sort((a, b) => b.length - a.length).map(escaped);
  const pattern = new RegExp(
    `(^|file://|[=:,;|\\s"'(\\[{@])(${longestFirst.join("|")})(?=$|[/:,;|\\s"')\\]}])`,
    "g",
  );
  return (text) => text.replace(pattern, (_all, before: string, path: string) => before + real.get(path));
}

/** The argv as this machine must see it. Absolute paths of the image's own entrypoint are this machine's already. */
export function realCommand(spec: ContainerSpec, rewrite: Rewrite): readonly string[] {
  const { entrypoint } = spec.image;
  const isOwn = runsEntrypoint(spec);
  return spec.command.map((word, at) =>
    isOwn && at < entrypoint.length && word.startsWith("/") ? word : rewrite(word),
  );
}

/** Whether the container is the image's own program, whatever its arguments. */
export function runsEntrypoint({ image, command }: ContainerSpec): boolean {
  return image.entrypoint.every((word, at) => command[at] === word);
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, "");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
