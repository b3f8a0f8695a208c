// Requests in flight over time, as Knative counts them: every moment weighs as much as it lasts.

export class Tally {
  inFlight = 0;
  private arrivals = 0;
  private weighted = 0;
  private sinceMs: number;
  private changedMs: number;

  constructor(nowMs: number) {
    this.sinceMs = nowMs;
    this.changedMs = nowMs;
  }

  enter(nowMs: number): void {
    this.account(nowMs);
    this.inFlight += 1;
    this.arrivals += 1;
  }

  leave(nowMs: number): void {
    this.account(nowMs);
    this.inFlight -= 1;
  }

  /** What was seen since the last time, and a new beginning. */
  take(nowMs: number): { readonly concurrency: number; readonly arrivals: number; readonly overMs: number } {
    this.account(nowMs);
    const overMs = nowMs - this.sinceMs;
    const concurrency = overMs > 0 ? this.weighted / overMs : this.inFlight;
    const { arrivals } = this;
    this.weighted = 0;
    this.arrivals = 0;
    this.sinceMs = nowMs;
    return { concurrency, arrivals, overMs };
  }

  private account(nowMs: number): void {
    if (nowMs > this.changedMs) {
      this.weighted += this.inFlight * (nowMs - this.changedMs);
      this.changedMs = nowMs;
    }
  }
}
