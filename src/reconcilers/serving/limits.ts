/** A gateway that was just told is asked again at once; one that stays silent is not bothered much. */
export function probeAgainMs(waitedMs: number): number {
  return waitedMs < 5_000 ? 40 : 1_000;
}

/** A registry that did not have an image, or could not be asked, is asked again after this. */
export const digestAgainMs = 10_000;

/** A quota that is raised sends us no event: what was refused is asked for again after this. */
export const refusedAgainMs = 5_000;
