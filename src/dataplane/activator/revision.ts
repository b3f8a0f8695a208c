// One revision's requests: to a pod when one has room, else in line until it has, or until a limit has passed.
import type { Random } from "../../ports/index.js";
import type { Forwarded } from "../proxy/index.js";
import { RevisionCounts } from "./figures.js";
import type { Hall } from "./hall.js";
import { heldRequestBytes, type ThrottlerLimits } from "./limits.js";
import { List } from "./list.js";
import { type Pod, Pods } from "./pods.js";
import { Tally } from "./tally.js";
import type { Held, Ticket } from "./ticket.js";
import type {
  Admitted,
  Attempt,
  Limit,
  PodAddress,
  RevisionPods,
  RevisionSettings,
  Waiting,
} from "./types.js";

export interface Timing {
  /** Monotonic, as arrivals are stamped. */
  nowMs(): number;
  after(ms: number, run: () => void): () => void;
}

export interface RevisionOptions {
  readonly timing: Timing;
  readonly random: Random;
  readonly limits: ThrottlerLimits;
  readonly attempt: Attempt;
  readonly hall: Hall;
  readonly onLost: (pod: PodAddress) => void;
  /** Requests another process has with a pod. */
  readonly elsewhere: (address: string) => number;
  /** The first request after a time without any. */
  readonly onFirst: (revision: RevisionThrottler, held: boolean) => void;
}

const clientGone: Admitted = {
  outcome: "broken",
  how: "clientGone",
  because: "the client went away",
  begun: false,
};

export class RevisionThrottler {
  readonly queue = new List<Held>();
  readonly pods: Pods;
  readonly tally: Tally;
  readonly counts = new RevisionCounts();
  heldBytes = 0;
  /** Among those whose activity is reported. */
  tracked = false;
  /** The first request has been told of already. */
  told = false;
  /** No longer in the route table. */
  dropped = false;
  private readonly active = new List<Ticket>();
  private stopDeadline: (() => void) | undefined;

  constructor(
    public source: RevisionPods,
    private readonly options: RevisionOptions,
  ) {
    this.tally = new Tally(options.timing.nowMs());
    this.pods = new Pods({
      random: options.random,
      ejection: options.limits.ejection,
      after: options.timing.after,
      elsewhere: options.elsewhere,
      onRoom: () => this.wake(),
      onLost: options.onLost,
    });
    this.pods.update(source.targets, source.settings?.containerConcurrency ?? 0, source.lives);
  }

  get settings(): RevisionSettings | undefined {
    return this.source.settings;
  }

  update(source: RevisionPods): void {
    if (source === this.source) return;
    const had = this.pods.ready.length;
    this.source = source;
    const more = this.pods.update(source.targets, source.settings?.containerConcurrency ?? 0, source.lives);
    if (had === 0 && this.pods.ready.length > 0 && this.queue.size > 0) this.counts.coldStarts += 1;
    if (more) this.wake();
  }

  drop(): void {
    this.dropped = true;
    this.giveUpAll();
    this.stopDeadline?.();
    this.pods.close();
  }

  /** The Revision was deleted: nobody will start a pod for those that wait. */
  giveUpAll(): void {
    for (let held = this.queue.first; held !== undefined; held = this.queue.first) {
      this.leaveQueue(held);
      this.settle(held.ticket, {
        outcome: "noPod",
        because: `revision ${this.name} was deleted while the request waited for a pod`,
      });
    }
  }

  /** Gives up its newest for another revision's sake. */
  giveUpNewest(): void {
    const held = this.queue.last;
    if (held === undefined) return;
    this.leaveQueue(held);
    this.turnAway(held.ticket);
  }

  private get name(): string {
    return `${this.source.namespace}/${this.source.name}`;
  }

  admit(ticket: Ticket): void {
    this.tally.enter(this.options.timing.nowMs());
    // Whoever waits is before us; those leave the moment there is room, so here is none.
    const pod = this.queue.size === 0 ? this.pods.reserve() : undefined;
    const { settings } = this;
    if (settings !== undefined) {
      this.limit(ticket, settings);
      if (!this.tracked) {
        this.tracked = true;
        this.told = true;
        this.options.onFirst(this, pod === undefined);
      }
    }
    if (pod !== undefined) {
      this.run(ticket, pod);
      return;
    }
    if (settings !== undefined) {
      this.hold(ticket, undefined);
      return;
    }
    const anyhow = this.pods.reserveAnyhow();
    if (anyhow === undefined) this.settle(ticket, { outcome: "noPod", because: nobodyReady(this.source) });
    else this.run(ticket, anyhow);
  }

  private run(ticket: Ticket, pod: Pod): void {
    ticket.pod = pod;
    ticket.waiting.tried = pod;
    let returned = false;
    let told = false;
    try {
      this.options.attempt(ticket.waiting, pod, (forwarded) => {
        told = true;
        if (returned) this.ended(ticket, pod, forwarded);
        // After this turn: a thousand that wait for a pod that refuses at once must not become a thousand calls deep.
        else queueMicrotask(() => this.ended(ticket, pod, forwarded));
      });
    } catch (bug) {
      if (told || ticket.settled) throw bug;
      this.pods.release(pod);
      ticket.settled = true;
      this.finish(ticket);
      ticket.asker.fail(bug);
      this.wake();
    }
    returned = true;
  }

  private ended(ticket: Ticket, pod: Pod, forwarded: Forwarded): void {
    this.pods.release(pod);
    const refused = forwarded.outcome === "refused" && forwarded.how !== "full";
    if (refused) this.pods.refused(pod);
    else if (forwarded.outcome === "answered") this.pods.accepted(pod);
    if (!ticket.settled) {
      if (ticket.late !== undefined && forwarded.outcome !== "answered") {
        const begun = forwarded.outcome === "broken" && forwarded.begun;
        this.settle(ticket, { ...ticket.late, begun });
      } else if (forwarded.outcome === "refused") this.again(ticket, pod, forwarded);
      else this.settle(ticket, forwarded);
    }
    this.wake();
  }

  /** The model saw nothing, so another pod may; and a revision's request may wait for one. */
  private again(ticket: Ticket, refusing: Pod, forwarded: Extract<Forwarded, { outcome: "refused" }>): void {
    ticket.refusals += 1;
    if (ticket.refusals === 1) ticket.refusedSinceMs = this.options.timing.nowMs();
    const waits = this.settings !== undefined && forwarded.how !== "full";
    // Once where nobody waits: more would turn one dead node into a storm.
    const other = waits
      ? this.pods.reserve()
      : ticket.refusals === 1
        ? this.pods.reserveAnyhow(refusing)
        : undefined;
    if (other !== undefined) this.run(ticket, other);
    else if (waits) this.hold(ticket, forwarded);
    else this.settle(ticket, forwarded);
  }

  private hold(ticket: Ticket, refusal: Forwarded | undefined): void {
    const { waiting } = ticket;
    const bytes = heldRequestBytes + waiting.bodyBytes;
    if (!this.options.hall.admits(this, bytes)) {
      this.turnAway(ticket);
      return;
    }
    const { signal } = waiting;
    if (signal.aborted) {
      this.settle(ticket, clientGone);
      return;
    }
    const held: Held = {
      ticket,
      bytes,
      sinceMs: this.options.timing.nowMs(),
      cold: this.pods.ready.length === 0,
      refusal,
      stopWaiting: () => {},
      before: undefined,
      after: undefined,
      listed: false,
    };
    ticket.held = held;
    this.heldBytes += bytes;
    // One that a pod refused was first in line before.
    if (refusal === undefined) this.queue.push(held);
    else this.queue.unshift(held);
    const onAbort = () => {
      this.leaveQueue(held);
      this.settle(ticket, clientGone);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    let stopTimer = () => {};
    held.stopWaiting = () => {
      signal.removeEventListener("abort", onAbort);
      stopTimer();
    };
    const look = () => {
      const inMs = this.waitsOn(held);
      if (inMs !== undefined) stopTimer = this.options.timing.after(inMs, look);
    };
    look();
  }

  /** How long until somebody should look at it again; settles it when its time is over. */
  private waitsOn(held: Held): number | undefined {
    const { ticket, refusal } = held;
    const { waiting } = ticket;
    const { limits, timing } = this.options;
    const nowMs = timing.nowMs();
    const waits: number[] = [limits.brokenHoldMs];
    const over = (admitted: Admitted): undefined => {
      this.leaveQueue(held);
      this.settle(ticket, admitted);
    };
    if (waiting.timeoutMs !== undefined) {
      const leftMs = held.sinceMs + waiting.timeoutMs - nowMs;
      if (leftMs < 1)
        return over({
          outcome: "late",
          limit: "route timeout",
          ms: waiting.timeoutMs,
          held: true,
          begun: false,
        });
      waits.push(leftMs);
    }
    if (refusal !== undefined && this.pods.allRefuse) {
      const leftMs = ticket.refusedSinceMs + limits.refusedHoldMs - nowMs;
      if (leftMs < 1) return over(refusal);
      waits.push(leftMs);
    }
    const trouble = this.settings?.trouble;
    if (trouble !== undefined && this.pods.ready.length === 0) {
      const leftMs = held.sinceMs + limits.brokenHoldMs - nowMs;
      if (leftMs < 1) return over({ outcome: "noPod", because: `${nobodyReady(this.source)}; ${trouble}` });
      waits.push(leftMs);
    }
    return Math.min(...waits);
  }

  wake(): void {
    for (let held = this.queue.first; held !== undefined; held = this.queue.first) {
      const pod = this.pods.reserve();
      if (pod === undefined) return;
      this.leaveQueue(held);
      const { waiting } = held.ticket;
      const heldMs = this.options.timing.nowMs() - held.sinceMs;
      this.counts.held.observe(heldMs);
      waiting.heldMs = (waiting.heldMs ?? 0) + heldMs;
      if (held.cold && !waiting.cold) this.timeFirstByte(waiting);
      waiting.cold ||= held.cold;
      if (waiting.timeoutMs !== undefined) waiting.timeoutMs = Math.max(1, waiting.timeoutMs - heldMs);
      this.run(held.ticket, pod);
    }
  }

  private timeFirstByte(waiting: Waiting): void {
    const { timing } = this.options;
    let isCounted = false;
    waiting.watch({
      begun: () => {
        if (!isCounted) this.counts.coldFirstByte.observe(timing.nowMs() - waiting.arrivedMs);
        isCounted = true;
      },
      moved() {},
    });
  }

  private leaveQueue(held: Held): void {
    this.queue.remove(held);
    this.heldBytes -= held.bytes;
    held.ticket.held = undefined;
    held.stopWaiting();
  }

  private turnAway(ticket: Ticket): void {
    this.counts.turnedAway += 1;
    const because = `pending request queue full: ${this.queue.size} requests wait for revision ${this.name} already`;
    this.settle(ticket, { outcome: "queueFull", because });
  }

  private settle(ticket: Ticket, admitted: Admitted): void {
    if (ticket.settled) return;
    ticket.settled = true;
    this.finish(ticket);
    ticket.asker.settle(admitted);
  }

  private finish(ticket: Ticket): void {
    this.active.remove(ticket);
    ticket.watch?.stop();
    this.tally.leave(this.options.timing.nowMs());
  }

  private limit(ticket: Ticket, settings: RevisionSettings): void {
    const { arrivedMs } = ticket.waiting;
    // In order of arrival, which is the order of their ends; a retry comes late and has its own old place.
    this.active.push(ticket);
    const before = ticket.before;
    if (before !== undefined && before.waiting.arrivedMs > arrivedMs) {
      this.active.moveBack(ticket, isEarlier);
      if (this.active.first === ticket) {
        this.stopDeadline?.();
        this.stopDeadline = undefined;
      }
    }
    if (this.stopDeadline === undefined) this.armDeadline(settings);
    if (settings.responseStartMs !== undefined || settings.idleMs !== undefined) this.watch(ticket, settings);
  }

  /** One timer for all: who arrived first is late first. */
  private armDeadline(settings: RevisionSettings): void {
    const first = this.active.first;
    if (first === undefined) {
      this.stopDeadline = undefined;
      return;
    }
    const { timing } = this.options;
    const inMs = first.waiting.arrivedMs + settings.timeoutMs - timing.nowMs();
    this.stopDeadline = timing.after(Math.max(0, inMs), () => {
      const nowMs = timing.nowMs();
      for (let late = this.active.first; late !== undefined; late = this.active.first) {
        if (late.waiting.arrivedMs + settings.timeoutMs - nowMs >= 1) break;
        this.expire(late, "timeoutSeconds", settings.timeoutMs);
      }
      this.armDeadline(this.settings ?? settings);
    });
  }

  private watch(ticket: Ticket, { responseStartMs, idleMs }: RevisionSettings): void {
    const { timing } = this.options;
    const { arrivedMs } = ticket.waiting;
    let begun = false;
    let movedMs = arrivedMs;
    let stopStart = () => {};
    let stopIdle = () => {};
    ticket.waiting.watch({
      begun() {
        begun = true;
        movedMs = timing.nowMs();
        stopStart();
      },
      moved() {
        movedMs = timing.nowMs();
      },
    });
    ticket.watch = {
      stop() {
        stopStart();
        stopIdle();
      },
    };
    if (responseStartMs !== undefined) {
      stopStart = timing.after(arrivedMs + responseStartMs - timing.nowMs(), () => {
        if (!begun) this.expire(ticket, "responseStartTimeoutSeconds", responseStartMs);
      });
    }
    const lookIdle = (ms: number) => {
      const leftMs = movedMs + ms - timing.nowMs();
      if (leftMs < 1) this.expire(ticket, "idleTimeoutSeconds", ms);
      else stopIdle = timing.after(leftMs, () => lookIdle(ms));
    };
    if (idleMs !== undefined) lookIdle(idleMs);
  }

  private expire(ticket: Ticket, limit: Limit, ms: number): void {
    if (ticket.settled || ticket.late !== undefined) return;
    this.counts.late += 1;
    this.active.remove(ticket);
    const { held } = ticket;
    ticket.late = { outcome: "late", limit, ms, held: held !== undefined, begun: false };
    if (held !== undefined) this.leaveQueue(held);
    // Cut off at the pod, it comes back through `ended`; one that no pod has yet would come too late.
    if (held !== undefined || !ticket.waiting.cut()) this.settle(ticket, ticket.late);
  }
}

const isEarlier = (one: Ticket, other: Ticket): boolean => one.waiting.arrivedMs <= other.waiting.arrivedMs;

function nobodyReady({ namespace, name, notReady }: RevisionPods): string {
  const pods =
    notReady === 0 ? "it has no pods" : `${notReady} ${notReady === 1 ? "pod is" : "pods are"} not ready yet`;
  return `no pod of revision ${namespace}/${name} is ready: ${pods}`;
}
