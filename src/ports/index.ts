export type { Client, Key, Page, PatchOptions, Unsaved, WatchEvent, Within } from "./client.js";
export type { Clock, Random } from "./clock.js";
export type { ActivatorProbe, Deciders, ScaleWish } from "./deciders.js";
export type { DigestAnswer, DigestQuestion, ImageDigests } from "./digests.js";
export type { Engine, Opened } from "./engine.js";
export { isPortError, isRefusal, PortError, type PortErrorReason } from "./error.js";
export {
  type Becoming,
  type EnsureOptions,
  type Fetched,
  type FetchOptions,
  type ImageResolution,
  type Images,
  type InsideProgram,
  type InsideRun,
  type PullPolicy,
  type RegistryCredentials,
  type ResolvedImage,
  spareVariable,
} from "./images.js";
export type { Lister, Listers, Where } from "./lister.js";
export type { ExecOptions, ExecSession, LogOptions, PodRef, PodRuntime, PodUsage } from "./podRuntime.js";
export type { IngressProber, Probed, ProbeQuestion, ProbeTarget } from "./prober.js";
export type { Log, Recorder } from "./recorder.js";
export type {
  ContainerExit,
  ContainerSpec,
  ContainerUsage,
  PodPort,
  RunningContainer,
  Sandbox,
  SandboxExec,
  SandboxMount,
  Survivor,
  Walls,
} from "./sandbox.js";
export type { Store, StoreContent, StoreWrite } from "./store.js";
export type { TokenRule, TokenVerifier, Verified } from "./tokens.js";
