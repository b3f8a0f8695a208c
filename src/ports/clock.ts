/** Time, handed in. `now` is milliseconds since 1970; `after` runs once and gives back its undoing. */
export interface Clock {
  now(): number;
  after(ms: number, run: () => void): () => void;
}

/** A number in [0, 1). */
export type Random = () => number;
