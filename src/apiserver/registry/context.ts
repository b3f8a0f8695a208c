// Who writes, and how.

export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: { readonly [key: string]: readonly string[] };
}

export interface WriteContext {
  readonly user: User;
  /** Whose name stands in managedFields; empty for writers that are not tracked. */
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: "Strict" | "Warn" | "Ignore";
  /** Fields the body held twice, seen while it was read. */
  readonly duplicateFields: readonly string[];
  readonly warn: (text: string) => void;
  /**
   * Goes on once the write is staged, and the disk follows. For those who look again at whatever changes, and tell
   * nobody outside: should the disk fail, what they see goes back to what it held. While it fails, they wait.
   */
  readonly early?: boolean;
}

/** For writers inside the house: nothing to warn about, nobody to track. */
export function insideContext(user: User): WriteContext {
  return {
    user,
    manager: "",
    dryRun: false,
    fieldValidation: "Ignore",
    duplicateFields: [],
    warn: () => {},
  };
}
