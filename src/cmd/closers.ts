// What a start has opened so far, so that it can be closed in the opposite order: at the end, or when the start fails.

export interface Closers {
  add(end: () => Promise<void> | void): void;
  /** To be closed from the moment it is being opened; that is waited for, and a failure is its caller's alone. */
  opening<T>(opening: Promise<T>, end: (made: T) => Promise<void> | void): Promise<T>;
  close(): Promise<void>;
}

export function makeClosers(): Closers {
  const ends: (() => Promise<void> | void)[] = [];
  return {
    add: (end) => void ends.push(end),
    opening(opening, end) {
      // Its caller may still be busy elsewhere when it fails.
      const made = opening.then(
        (value) => ({ value }),
        () => undefined,
      );
      ends.push(async () => {
        const opened = await made;
        if (opened !== undefined) await end(opened.value);
      });
      return opening;
    },
    async close() {
      // No timer of ours keeps a process alive, and one that ends by itself while it waits would leave things open.
      const awake = setInterval(() => {}, 1_000);
      try {
        for (const end of ends.splice(0).reverse()) await end();
      } finally {
        clearInterval(awake);
      }
    },
  };
}
