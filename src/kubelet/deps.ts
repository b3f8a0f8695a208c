// What the kubelet is given, and what each part of it needs.
import type { Informers } from "../controller/index.js";
import type { Pod } from "../domain/apis/core/pod.types.js";
import type { StartTimes } from "../domain/apis/core/started.js";
import type {
  Client,
  Clock,
  Engine,
  Images,
  Log,
  PodRef,
  Random,
  Recorder,
  RegistryCredentials,
  Sandbox,
} from "../ports/index.js";
import type { StartTurns } from "./startTurns.js";

export interface KubeletDeps {
  readonly client: Client;
  readonly sandbox: Sandbox;
  readonly images: Images;
  /** For pods whose images do not run as processes. */
  readonly engine?: Engine;
  readonly pullCredentials?: PullCredentials;
  readonly imageCredentials?: ImageCredentials;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly recorder: Recorder;
  /** Drydock's own folder. */
  readonly home: string;
  readonly nodeName: string;
  /** Volumes of type hostPath are refused unless the owner of the machine wants them. */
  readonly allowHostPath: boolean;
  readonly lameDuckMs: number;
  readonly closeGraceMs: number;
  readonly serviceAccountToken: ServiceAccountToken | undefined;
  readonly turns: StartTurns;
  /** When the request came that a pod was made for, in the clock's milliseconds. */
  readonly wokenAtMs?: (pod: Pod) => number | undefined;
  /** Hears how long each pod's first start took. */
  readonly onStarted: (times: StartTimes) => void;
}

/** Who may fetch an image for a pod: the secrets it names, its service account's, and the user's own. */
export type PullCredentials = (pod: PodRef, image: string) => Promise<readonly RegistryCredentials[]>;

/** The same for an image that no pod asks for yet: as this service account, with these secrets. */
export type ImageCredentials = (
  namespace: string,
  who: {
    readonly imagePullSecrets?: readonly { readonly name?: string | undefined }[] | undefined;
    readonly serviceAccountName?: string | undefined;
  },
  image: string,
) => Promise<readonly RegistryCredentials[]>;

/** A token for a projected volume. */
export type ServiceAccountToken = (request: {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}) => Promise<string>;

export type KubeletOptions = Omit<
  KubeletDeps,
  "turns" | "nodeName" | "allowHostPath" | "lameDuckMs" | "closeGraceMs" | "serviceAccountToken" | "onStarted"
> & {
  readonly version: string;
  readonly nodeName?: string;
  readonly allowHostPath?: boolean;
  readonly lameDuckMs?: number;
  readonly closeGraceMs?: number;
  readonly serviceAccountToken?: ServiceAccountToken;
  /** Shared with the reconcilers when they run in the same process; the kubelet makes its own otherwise. */
  readonly informers?: Informers;
};
