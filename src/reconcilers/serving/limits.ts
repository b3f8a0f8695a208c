/** A gateway that was just told is asked again at once; one that stays silent is not bothered much. */
export function probeAgainMs(waitedMs: number): number {
  return waitedMs < 5_000 ? 40 : 1_000;
}
