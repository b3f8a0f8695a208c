import type { Images } from "./images.js";
import type { Sandbox } from "./sandbox.js";

/** Where containers run that need more than a process. It is looked for when the first of them comes, not before. */
export interface Engine {
  /** Looked for again at each call until one is found. What an earlier life left in it is ended first. */
  open(): Promise<Opened>;
  /** Whether an earlier life left something that only opening it can clear up. */
  hasLeftovers(): boolean;
  close(): Promise<void>;
}

export type Opened =
  | { readonly outcome: "open"; readonly sandbox: Sandbox; readonly images: Images }
  /** `because` says what was looked at, and what would help. */
  | { readonly outcome: "missing"; readonly because: string };
