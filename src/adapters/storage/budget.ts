// What one model may still take of the disk. Counted while writing, never believed from a header.

import { StorageError } from "./errors.js";
import { maxEntries } from "./limits.js";

export interface Budget {
  readonly maxBytes: number;
  spendBytes(bytes: number): void;
  spendEntry(): void;
}

export function budget(maxBytes: number): Budget {
  let bytes = 0;
  let entries = 0;
  return {
    maxBytes,
    spendBytes(more) {
      bytes += more;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
    },
    spendEntry() {
      entries += 1;
      if (entries > maxEntries) throw new StorageError(`The model has more than ${maxEntries} files.`);
    },
  };
}

export function tooLarge(maxBytes: number): StorageError {
  return new StorageError(
    `The model is larger than ${maxBytes} bytes. Raise DRYDOCK_MAX_MODEL_BYTES to allow it.`,
  );
}
