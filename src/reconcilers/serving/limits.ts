/** A gateway that was just told is asked again at once; one that stays silent is not bothered much. */
export function probeAgainMs(waitedMs: number): number {
  return waitedMs < 5_000 ? 40 : 1_000;
}

/** How long a Revision that no Route wants keeps its pods: requests already on their way still find them. */
export const unwantedGraceMs = 2_000;
