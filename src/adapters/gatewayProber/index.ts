/**
 * The IngressProber port over HTTP: every host is asked for at every listener it should be served by, until each has
 * answered with the configuration that was asked for. It keeps no timers; who asks is told when to ask again.
 */
import { judgeProbes, type ProbeVerdict } from "../../domain/traffic/index.js";
import type { Clock, IngressProber, Probed, ProbeQuestion, ProbeTarget } from "../../ports/index.js";
import { asker, type ProbeAddress } from "./ask.js";
import {
  atOnce,
  betweenQuickTriesMs,
  inFrontAgainMs,
  ownersKept,
  policyArrivesMs,
  quickTries,
  togetherMs,
  waitMs,
} from "./limits.js";

export type { ProbeAddress };

/** One host at one listener. */
interface Spot {
  readonly target: ProbeTarget;
  readonly address: ProbeAddress;
  verdict: ProbeVerdict | undefined;
  tries: number;
  nextMs: number;
}

interface Known {
  readonly version: string;
  readonly guarded: string;
  readonly spots: readonly Spot[];
  /** Answers from before this moment may be older than the policies: asked once more then. */
  confirmAtMs: number | undefined;
}

export function gatewayProber(
  listenersOf: (visibility: ProbeTarget["visibility"]) => readonly ProbeAddress[],
  clock: Clock,
): IngressProber & { close(): void } {
  const wire = asker();
  const within = gate(atOnce);
  const known = new Map<string, Known>();

  function recall({ owner, version, guarded, targets }: ProbeQuestion): Known {
    const before = known.get(owner);
    known.delete(owner);
    const addresses = { external: listenersOf("external"), local: listenersOf("local") };
    const spots = targets.flatMap((target) =>
      addresses[target.visibility].map(
        (address): Spot => ({ target, address, verdict: undefined, tries: 0, nextMs: 0 }),
      ),
    );
    const same =
      before !== undefined &&
      before.version === version &&
      before.guarded === guarded &&
      before.spots.length === spots.length &&
      before.spots.every((spot, index) => isSame(spot, spots[index]));
    const unsettled = guarded !== (before?.guarded ?? "");
    const now = same
      ? before
      : { version, guarded, spots, confirmAtMs: unsettled ? clock.now() + policyArrivesMs : undefined };
    known.set(owner, now);
    for (const oldest of known.keys()) {
      if (known.size <= ownersKept) break;
      known.delete(oldest);
    }
    return now;
  }

  async function visit(spot: Spot): Promise<void> {
    const quick = spot.tries === 0 ? quickTries : 1;
    for (let count = 1; ; count += 1) {
      spot.verdict = await within(() => wire.ask(spot.target, spot.address));
      if (spot.verdict.outcome === "ready" || count >= quick) break;
      await new Promise<void>((resolve) => clock.after(betweenQuickTriesMs, resolve));
    }
    const againMs = spot.verdict.outcome === "inFront" ? inFrontAgainMs : waitMs(spot.tries);
    spot.tries += 1;
    spot.nextMs = clock.now() + againMs;
  }

  async function probe(question: ProbeQuestion): Promise<Probed> {
    const state = recall(question);
    const unheard = question.targets.find((target) => listenersOf(target.visibility).length === 0);
    if (unheard !== undefined)
      return { outcome: "notReady", because: "the gateway is not running", againMs: policyArrivesMs };
    const nowMs = clock.now();
    const confirm = state.confirmAtMs !== undefined && nowMs >= state.confirmAtMs;
    if (confirm) state.confirmAtMs = undefined;
    const due = state.spots.filter(
      ({ verdict, nextMs }) => confirm || (verdict?.outcome !== "ready" && nextMs <= nowMs + togetherMs),
    );
    await Promise.all(due.map(visit));

    const verdict = judgeProbes(state.spots.flatMap((spot) => spot.verdict ?? []));
    const laterMs = [
      ...state.spots.flatMap((spot) => (spot.verdict?.outcome === "ready" ? [] : [spot.nextMs])),
      ...(state.confirmAtMs === undefined ? [] : [state.confirmAtMs]),
    ];
    const againMs = Math.max(1, Math.min(...laterMs) - clock.now());
    if (verdict.outcome !== "ready") return { ...verdict, againMs };
    return laterMs.length === 0 ? verdict : { ...verdict, againMs };
  }

  return { probe, close: () => wire.close() };
}

function isSame(one: Spot, other: Spot | undefined): boolean {
  return (
    one.target.host === other?.target.host &&
    one.target.hash === other.target.hash &&
    one.target.visibility === other.target.visibility &&
    one.address.host === other.address.host &&
    one.address.port === other.address.port &&
    one.address.secure === other.address.secure
  );
}

/** Lets so many run at once; the others wait their turn. */
function gate(places: number) {
  let free = places;
  const waiting: (() => void)[] = [];
  return async function run<T>(work: () => Promise<T>): Promise<T> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
