/** One word that status may say, and what there is to know about it. */
export interface Reason {
  /** As it is spelled; `ExitCode` stands for ExitCode1, ExitCode137 and so on. */
  readonly reason: string;
  /** Where it stands: `Kind Condition`, the first being where it comes from. */
  readonly on: readonly string[];
  readonly means: string;
  /** What was seen that makes it so. */
  readonly seen: string;
  readonly todo: string;
  /** Folders below test/scenarios that show it; or why there is none. */
  readonly scenarios: readonly string[] | { readonly none: string };
}
