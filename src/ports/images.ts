// What an image name means on this machine: a digest, a command, and a runtime made ready once.

export interface ResolvedImage {
  /** The name as the pod spells it. */
  readonly reference: string;
  /** `name@sha256:...`: the same for the same content, whatever tag led to it. */
  readonly digest: string;
  /** The image's own entrypoint; empty when the container must bring its command. */
  readonly entrypoint: readonly string[];
  /** What follows the entrypoint unless the container says otherwise. */
  readonly defaultArgs: readonly string[];
  /** The image's own environment, beneath the container's. */
  readonly env: { readonly [name: string]: string };
  readonly workingDir?: string;
  /** Whom it runs as unless told otherwise, `user[:group]`; names or numbers. */
  readonly user?: string;
  /** What asks it to end, when that is not SIGTERM. */
  readonly stopSignal?: string;
  /** What it was built for, such as `arm64`; undefined is any. */
  readonly architecture?: string;
  /** Whether mount paths in arguments and environment stand for the real directories, for want of a file system of its own. */
  readonly rewritesPaths: boolean;
  /** What `ensure` must make ready before the image can run; nothing when it already can. */
  readonly runtime?: string;
  /** Whether its entrypoint can be started ahead of time, as `spareVariable` says. */
  readonly warms?: boolean;
  /** Its entrypoint without a process. */
  readonly inside?: InsideProgram;
}

/**
 * Looks whether what these arguments ask for can be done within Drydock's own process, in a moment and with nothing
 * that could break it; undefined when it is better done by a process. What it gives does it: output goes to `say`, line
 * by line, an aborted signal is SIGTERM, and it resolves with the exit code. Neither rejects.
 */
export type InsideProgram = (
  args: readonly string[],
  env: { readonly [name: string]: string },
) => Promise<InsideRun | undefined>;

export type InsideRun = (around: {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}) => Promise<number>;

/**
 * Set in the environment of a program that is started before anyone needs it. Such a program loads what it can, says
 * `ready` on descriptor 3, and waits there for one line of JSON, a `Becoming`; it takes that on, says `became` and when
 * (milliseconds since 1970), closes the descriptor, and is from then on the same as if it had been started so. End of
 * input ends it.
 */
export const spareVariable = "DRYDOCK_SPARE";

/** What a spare is told to be: all that a start would have given it. */
export interface Becoming {
  readonly argv: readonly string[];
  readonly env: { readonly [name: string]: string };
  readonly cwd: string;
}

export type ImageResolution =
  | { readonly outcome: "resolved"; readonly image: ResolvedImage }
  | {
      readonly outcome: "missing";
      readonly because: string;
      /** The name means nothing here at all; another kind of sandbox may know it. */
      readonly isUnknown?: boolean;
    };

export interface EnsureOptions {
  readonly signal: AbortSignal;
  /** One short line a user can read while waiting. */
  readonly onProgress: (message: string) => void;
}

/** Core/v1 imagePullPolicy. */
export type PullPolicy = "Always" | "IfNotPresent" | "Never";

export interface FetchOptions extends EnsureOptions {
  readonly policy: PullPolicy;
  /** Who may read the image's repository, to be tried in this order; none is anonymous. */
  readonly credentials: readonly RegistryCredentials[];
}

/** What a registry wants to know of who asks: a name and a password, or a token in place of both. */
export interface RegistryCredentials {
  /** A host, or a host and the beginning of a repository's name. */
  readonly registry: string;
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
}

export type Fetched =
  | { readonly outcome: "present" }
  /** `reason` as a waiting container shows it: ErrImagePull, ErrImageNeverPull, InvalidImageName. */
  | { readonly outcome: "failed"; readonly reason: string; readonly because: string };

export interface Images {
  /** Brings an image here as the policy says, where images come from elsewhere; afterwards `resolve` knows it. */
  fetch?(image: string, options: FetchOptions): Promise<Fetched>;
  resolve(image: string): Promise<ImageResolution>;
  /** Makes the image able to run; minutes the first time, nothing later. Rejects with a PortError whose message users see. */
  ensure(
    image: ResolvedImage,
    options: EnsureOptions,
  ): Promise<{ readonly env: { readonly [name: string]: string } }>;
}
