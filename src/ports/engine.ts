import type { Images } from "./images.js";
import type { Sandbox } from "./sandbox.js";

/** Where containers run that need more than a process. It is looked for when the first of them comes, not before. */
export interface Engine {
  /** Looked for again at each call until one is found. */
  open(): Promise<Opened>;
  /** Whether an earlier life may have left something that only opening it can show. */
  hasLeftovers(): boolean;
  /** Ends what an earlier life left, but for the pods whose uids it is told then: now, or as soon as the engine is found. */
  sweep(keep: () => ReadonlySet<string>): Promise<void>;
  close(): Promise<void>;
}

export type Opened =
  | { readonly outcome: "open"; readonly sandbox: Sandbox; readonly images: Images }
  /** `because` says what was looked at, and what would help. */
  | { readonly outcome: "missing"; readonly because: string };
