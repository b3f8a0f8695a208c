// How long a pod that refuses connections is left alone: longer each time, but never for good.

export interface EjectionLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** `refusals` counts those in a row, the one just seen included. */
export function ejectedForMs(refusals: number, { firstMs, maxMs }: EjectionLimits): number {
  return Math.min(firstMs * 2 ** Math.min(refusals - 1, 30), maxMs);
}
