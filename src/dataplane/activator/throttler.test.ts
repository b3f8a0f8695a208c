import { describe, expect, it } from "vitest";
import type { RevisionStat } from "../../domain/autoscaling/index.js";
import type { Forwarded } from "../proxy/index.js";
import { makeThrottler, type ThrottlerOptions } from "./throttler.js";
import type {
  Activity,
  Admitted,
  Asker,
  PodAddress,
  RevisionPods,
  RevisionSettings,
  Waiting,
} from "./types.js";

const answered: Forwarded = { outcome: "answered", status: 200 };
const refused: Forwarded = { outcome: "refused", how: "connect", because: "ECONNREFUSED" };

function settings(more: Partial<RevisionSettings> = {}): RevisionSettings {
  return {
    containerConcurrency: 0,
    timeoutMs: 300_000,
    responseStartMs: undefined,
    idleMs: undefined,
    trouble: undefined,
    ...more,
  };
}

function revision(name: string, pods: readonly string[], more: Partial<RevisionSettings> = {}): RevisionPods {
  const targets = pods.map((pod) => ({ pod, address: `10.0.0.1:${pod}` }));
  return {
    key: `default/${name}`,
    namespace: "default",
    name,
    targets,
    notReady: 0,
    settings: settings(more),
  };
}

/** Time that only moves when told. */
class Time {
  nowMs = 0;
  private timers: { readonly atMs: number; readonly run: () => void }[] = [];

  after = (ms: number, run: () => void) => {
    const timer = { atMs: this.nowMs + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  };

  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    for (;;) {
      await settled();
      const due = this.timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((one) => one !== due);
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.run();
    }
    this.nowMs = untilMs;
    await settled();
  }

  get waiting(): number {
    return this.timers.length;
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

class Asked implements Waiting, Asker {
  bodyBytes = 0;
  timeoutMs: number | undefined;
  tried: PodAddress | undefined;
  heldMs: number | undefined;
  cold = false;
  cutOff = false;
  activity: Activity | undefined;
  readonly leaves = new AbortController();
  end: (forwarded: Forwarded) => void = () => {};
  answer: Admitted | undefined;

  constructor(
    readonly revision: RevisionPods,
    readonly arrivedMs: number,
    readonly name: string,
  ) {}

  get signal(): AbortSignal {
    return this.leaves.signal;
  }

  watch(activity: Activity): void {
    this.activity = activity;
  }

  settle(admitted: Admitted): void {
    this.answer = admitted;
  }

  fail(bug: unknown): void {
    throw bug;
  }

  cut(): boolean {
    this.cutOff = true;
    this.end({ outcome: "broken", how: "clientGone", because: "cut", begun: this.begun });
    return true;
  }

  begun = false;
}

function world(options: Partial<ThrottlerOptions> = {}) {
  const time = new Time();
  const sent: string[] = [];
  const stats: RevisionStat[][] = [];
  const lost: string[] = [];
  const throttler = makeThrottler({
    random: () => 0,
    timing: { nowMs: () => time.nowMs, after: time.after },
    nowMs: () => time.nowMs + 1_000_000,
    onStats: (told) => stats.push([...told]),
    onLost: ({ pod }) => lost.push(pod),
    attempt: (waiting, target, done) => {
      sent.push(`${(waiting as Asked).name}>${target.pod}`);
      (waiting as Asked).end = done;
    },
    ...options,
  });
  const ask = (of: RevisionPods, name = "r", more: Partial<Asked> = {}) => {
    const asked = Object.assign(new Asked(of, time.nowMs, name), more);
    throttler.try(asked, asked);
    return asked;
  };
  return { time, sent, stats, lost, throttler, ask };
}

describe("a revision without pods", () => {
  it("holds its requests and lets them out in order when a pod is there", async () => {
    const { time, sent, throttler, ask } = world();
    const cold = revision("cat", []);
    throttler.update([cold]);
    const asked = ["a", "b", "c"].map((name) => ask(cold, name));
    await time.pass(120);
    expect(sent).toEqual([]);
    throttler.update([revision("cat", ["1"])]);
    expect(sent).toEqual(["a>1", "b>1", "c>1"]);
    expect(asked[0]).toMatchObject({ heldMs: 120, cold: true });
    asked[0]!.end(answered);
    await settled();
    expect(asked[0]!.answer).toEqual(answered);
    expect(throttler.figures().join("\n")).toContain(
      'drydock_revision_cold_starts_total{namespace="default",revision="cat"} 1',
    );
  });

  it("is told at once, and only once", async () => {
    const { time, stats, throttler, ask } = world();
    const cold = revision("cat", []);
    throttler.update([cold]);
    ask(cold);
    expect(stats).toMatchObject([
      [{ name: "cat", podName: "activator", averageConcurrentRequests: 1, requestCount: 1 }],
    ]);
    ask(cold);
    expect(stats).toHaveLength(1);
    await time.pass(1_000);
    // Two in flight all the second; one of them had been told.
    expect(stats[1]).toMatchObject([
      { averageConcurrentRequests: 1, requestCount: 1, timestampMs: 1_001_000 },
    ]);
    await time.pass(1_000);
    expect(stats[2]).toMatchObject([{ averageConcurrentRequests: 2, requestCount: 0 }]);
  });

  it("lets go of a client that leaves", async () => {
    const { sent, throttler, ask } = world();
    const cold = revision("cat", []);
    throttler.update([cold]);
    const gone = ask(cold, "gone");
    gone.leaves.abort();
    await settled();
    expect(gone.answer).toMatchObject({ outcome: "broken", how: "clientGone" });
    throttler.update([revision("cat", ["1"])]);
    expect(sent).toEqual([]);
  });

  it("holds no longer than its timeout, nor than the route's", async () => {
    const { time, throttler, ask } = world();
    const cold = revision("cat", [], { timeoutMs: 2_000 });
    throttler.update([cold]);
    const own = ask(cold);
    const routes = ask(cold, "r", { timeoutMs: 500 });
    await time.pass(499);
    expect(routes.answer).toBeUndefined();
    await time.pass(1);
    expect(routes.answer).toMatchObject({ outcome: "late", limit: "route timeout", held: true });
    await time.pass(1_499);
    expect(own.answer).toBeUndefined();
    await time.pass(1);
    expect(own.answer).toEqual({
      outcome: "late",
      limit: "timeoutSeconds",
      ms: 2_000,
      held: true,
      begun: false,
    });
  });

  it("takes what it was held off the route's timeout", async () => {
    const { time, throttler, ask } = world();
    const cold = revision("cat", []);
    throttler.update([cold]);
    const asked = ask(cold, "r", { timeoutMs: 500 });
    await time.pass(200);
    throttler.update([revision("cat", ["1"])]);
    expect(asked.timeoutMs).toBe(300);
  });

  it("says soon what is wrong with it when it is not Ready", async () => {
    const { time, throttler, ask, stats } = world();
    const broken = revision("cat", [], { trouble: "ExitCode1: no such model" });
    throttler.update([broken]);
    const asked = ask(broken);
    // Told all the same: another try may succeed.
    expect(stats).toHaveLength(1);
    await time.pass(5_000);
    expect(asked.answer).toEqual({
      outcome: "noPod",
      because: "no pod of revision default/cat is ready: it has no pods; ExitCode1: no such model",
    });
  });

  it("that is deleted answers those who waited", async () => {
    const { throttler, ask } = world();
    const cold = revision("cat", []);
    throttler.update([cold]);
    const asked = ask(cold);
    throttler.update([]);
    await settled();
    expect(asked.answer).toMatchObject({ outcome: "noPod" });
  });
});

describe("too many", () => {
  const limits = { hold: { perRevision: 3, overall: { count: 4, bytes: 1_000_000 } } };

  it("find the queue full, each revision its own", async () => {
    const { throttler, ask } = world({ limits });
    const cat = revision("cat", []);
    const dog = revision("dog", []);
    throttler.update([cat, dog]);
    const cats = [1, 2, 3, 4].map(() => ask(cat));
    await settled();
    expect(cats.map(({ answer }) => answer?.outcome)).toEqual([undefined, undefined, undefined, "queueFull"]);
    expect(cats[3]!.answer).toMatchObject({ because: expect.stringContaining("pending request queue full") });
    const dogs = [1, 2, 3].map(() => ask(dog));
    await settled();
    // The flood's newest makes room until both have the same.
    expect(dogs.map(({ answer }) => answer?.outcome)).toEqual([undefined, undefined, "queueFull"]);
    expect(cats.map(({ answer }) => answer?.outcome)).toEqual([
      undefined,
      undefined,
      "queueFull",
      "queueFull",
    ]);
  });
});

describe("containerConcurrency", () => {
  it("is never exceeded, whatever comes and goes", async () => {
    const { time, sent, throttler, ask } = world();
    const one = { containerConcurrency: 1 };
    let now = revision("cat", ["1", "2"], one);
    throttler.update([now]);
    const asked = Array.from({ length: 6 }, (_, index) => ask(now, String(index)));
    expect(sent).toEqual(["0>1", "1>2"]);
    asked[1]!.end(answered);
    await settled();
    expect(sent.at(-1)).toBe("2>2");
    // Pod 1 leaves with its request: nothing more for it, even after it has answered.
    now = revision("cat", ["2"], one);
    throttler.update([now]);
    asked[0]!.end(answered);
    await settled();
    expect(sent).toHaveLength(3);
    // It comes back while it still works: its place is taken.
    now = revision("cat", ["2", "3"], one);
    throttler.update([now]);
    expect(sent.at(-1)).toBe("3>3");
    throttler.update([revision("cat", ["2"], one)]);
    throttler.update([revision("cat", ["2", "3"], one)]);
    await time.pass(10);
    expect(sent).toHaveLength(4);
    expect(Math.max(...throttler.inFlight().values())).toBe(1);
  });

  it("above three goes round, below fills the first", () => {
    const few = world();
    const two = revision("cat", ["1", "2"], { containerConcurrency: 2 });
    few.throttler.update([two]);
    for (let count = 0; count < 3; count += 1) few.ask(two);
    expect(few.sent).toEqual(["r>1", "r>1", "r>2"]);
    const many = world();
    const ten = revision("cat", ["1", "2"], { containerConcurrency: 10 });
    many.throttler.update([ten]);
    for (let count = 0; count < 4; count += 1) many.ask(ten);
    expect(many.sent).toEqual(["r>1", "r>2", "r>1", "r>2"]);
  });

  it("keeps its places over a table that names the pods anew", async () => {
    const { sent, throttler, ask } = world();
    const one = { containerConcurrency: 1 };
    const cat = revision("cat", ["1"], one);
    throttler.update([cat]);
    const first = ask(cat, "a");
    const again = revision("cat", ["1"], one);
    throttler.update([again]);
    ask(again, "b");
    // One that still carries the old table is the same revision's.
    ask(cat, "c");
    expect(sent).toEqual(["a>1"]);
    first.end(answered);
    await settled();
    expect(sent).toEqual(["a>1", "b>1"]);
  });
});

describe("a pod that refuses", () => {
  it("is left alone, comes back on trial, and then is one like the others", async () => {
    const { time, sent, throttler, ask } = world();
    const cat = revision("cat", ["1", "2"]);
    throttler.update([cat]);
    const first = ask(cat, "a");
    first.end(refused);
    await settled();
    expect(sent).toEqual(["a>1", "a>2"]);
    ask(cat, "b");
    expect(sent.at(-1)).toBe("b>2");
    await time.pass(100);
    const trial = ask(cat, "c");
    ask(cat, "d");
    expect(sent.slice(-2)).toEqual(["c>1", "d>2"]);
    trial.end(answered);
    await settled();
    ask(cat, "e");
    expect(sent.at(-1)).toBe("e>1");
  });

  it("when it is the only one keeps its requests waiting, for longer each time", async () => {
    const { time, sent, throttler, ask } = world();
    const cat = revision("cat", ["1"]);
    throttler.update([cat]);
    const asked = ask(cat, "a");
    for (const waitMs of [100, 200, 400]) {
      asked.end(refused);
      await settled();
      const before = sent.length;
      await time.pass(waitMs - 1);
      expect(sent).toHaveLength(before);
      await time.pass(1);
      expect(sent).toHaveLength(before + 1);
    }
    asked.end(answered);
    await settled();
    expect(asked.answer).toEqual(answered);
  });

  it("and goes on refusing is an answer in the end", async () => {
    const { time, throttler, ask } = world({
      attempt: (_waiting, _target, done) => done(refused),
      limits: { refusedHoldMs: 1_000 },
    });
    const cat = revision("cat", ["1"]);
    throttler.update([cat]);
    const asked = ask(cat);
    await time.pass(2_000);
    expect(asked.answer).toEqual(refused);
  });

  it("and then leaves gives them to the next, first in line", async () => {
    const { sent, throttler, ask } = world();
    const one = { containerConcurrency: 1 };
    const cat = revision("cat", ["1"], one);
    throttler.update([cat]);
    const first = ask(cat, "a");
    ask(cat, "b");
    first.end(refused);
    await settled();
    throttler.update([revision("cat", ["2"], one)]);
    expect(sent).toEqual(["a>1", "a>2"]);
  });

  it("waits while another process takes requests for the same pods, where these take only so many", async () => {
    const { sent, throttler, ask } = world();
    const cat = revision("cat", ["1"], { containerConcurrency: 2 });
    const dog = revision("dog", ["2"], {});
    throttler.update([cat, dog]);
    throttler.borrow(undefined);
    ask(cat, "a");
    ask(cat, "b");
    ask(dog, "c");
    expect(sent).toEqual(["c>2"]);
    expect(throttler.waiting()).toBe(2);
    throttler.borrow(new Map([["10.0.0.1:1", 1]]));
    expect(sent).toEqual(["c>2", "a>1"]);
    throttler.borrow(new Map());
    expect(sent).toEqual(["c>2", "a>1", "b>1"]);
    expect(throttler.waiting()).toBe(0);
  });

  it("of a plain Service is tried once more elsewhere, and nobody waits", async () => {
    const { sent, throttler, ask } = world();
    const plain = { ...revision("svc", ["1", "2"]), settings: undefined };
    throttler.update([plain]);
    const asked = ask(plain, "a");
    asked.end(refused);
    await settled();
    asked.end(refused);
    await settled();
    expect(sent).toEqual(["a>1", "a>2"]);
    expect(asked.answer).toEqual(refused);
    // All refuse: somebody must try.
    ask(plain, "b");
    expect(sent).toHaveLength(3);
    const none = { ...plain, targets: [], key: "default/none" };
    const hopeless = ask(none);
    await settled();
    expect(hopeless.answer).toMatchObject({ outcome: "noPod" });
  });
});

describe("limits of a request that is with a pod", () => {
  it("timeoutSeconds: from arrival, answer begun or not", async () => {
    const { time, throttler, ask } = world();
    const cat = revision("cat", ["1"], { timeoutMs: 1_000 });
    throttler.update([cat]);
    const early = ask(cat, "early");
    await time.pass(400);
    const later = ask(cat, "later", { begun: true });
    await time.pass(599);
    expect(early.answer).toBeUndefined();
    await time.pass(1);
    expect(early.answer).toMatchObject({
      outcome: "late",
      limit: "timeoutSeconds",
      held: false,
      begun: false,
    });
    expect(later.answer).toBeUndefined();
    await time.pass(400);
    expect(later.answer).toMatchObject({ outcome: "late", begun: true });
    expect(throttler.inFlight().size).toBe(0);
  });

  it("responseStartTimeoutSeconds: until the answer begins", async () => {
    const { time, throttler, ask } = world();
    const cat = revision("cat", ["1"], { responseStartMs: 1_000 });
    throttler.update([cat]);
    const slow = ask(cat);
    const quick = ask(cat);
    await time.pass(999);
    quick.activity?.begun();
    await time.pass(1);
    expect(slow.answer).toMatchObject({ outcome: "late", limit: "responseStartTimeoutSeconds", ms: 1_000 });
    await time.pass(100_000);
    expect(quick.answer).toBeUndefined();
  });

  it("idleTimeoutSeconds: from one byte to the next", async () => {
    const { time, throttler, ask } = world();
    const cat = revision("cat", ["1"], { idleMs: 1_000 });
    throttler.update([cat]);
    const asked = ask(cat);
    for (let count = 0; count < 5; count += 1) {
      await time.pass(900);
      asked.activity?.moved();
    }
    await time.pass(999);
    expect(asked.answer).toBeUndefined();
    await time.pass(1);
    expect(asked.answer).toMatchObject({ outcome: "late", limit: "idleTimeoutSeconds" });
  });

  it("an earlier arrival that is tried again keeps its own end", async () => {
    const { time, throttler, ask } = world();
    const cat = revision("cat", ["1"], { timeoutMs: 1_000 });
    throttler.update([cat]);
    await time.pass(500);
    const other = ask(cat);
    const again = Object.assign(new Asked(cat, 100, "again"));
    throttler.try(again, again);
    await time.pass(600);
    expect(again.answer).toMatchObject({ outcome: "late" });
    expect(other.answer).toBeUndefined();
  });

  it("leaves nothing behind", async () => {
    const { time, throttler, ask } = world();
    const cat = revision("cat", ["1"], { timeoutMs: 1_000, idleMs: 500, responseStartMs: 500 });
    throttler.update([cat]);
    const asked = ask(cat);
    asked.end(answered);
    await time.pass(3_000);
    expect(time.waiting).toBe(0);
  });
});

describe("a pod's server that ends", () => {
  it("is told of once, and only while requests are with it", () => {
    const { lost, throttler, ask } = world();
    const of = (pods: readonly string[], lives: Readonly<Record<string, string>>): RevisionPods => ({
      ...revision("cat", pods),
      lives: new Map(Object.entries(lives)),
    });
    const warm = of(["1", "2"], { 1: "a", 2: "b" });
    throttler.update([warm]);
    ask(warm);
    throttler.update([of(["2"], { 1: "a", 2: "b" })]);
    throttler.update([of(["2"], { 1: "a", 2: "c" })]);
    expect(lost).toEqual([]);
    throttler.update([of(["2"], { 2: "c" })]);
    throttler.update([of(["1", "2"], { 1: "d", 2: "c" })]);
    expect(lost).toEqual(["1"]);
  });
});

describe("what is reported", () => {
  it("weighs every moment as long as it lasts, and ends with a zero", async () => {
    const { time, stats, throttler, ask } = world();
    const cat = revision("cat", ["1"]);
    throttler.update([cat]);
    const one = ask(cat);
    await time.pass(0);
    expect(stats).toMatchObject([[{ averageConcurrentRequests: 1, podName: "1" }]]);
    await time.pass(1_000);
    await time.pass(500);
    ask(cat).end(answered);
    one.end(answered);
    await time.pass(500);
    expect(stats[2]).toMatchObject([{ averageConcurrentRequests: 0.5, requestCount: 1 }]);
    await time.pass(5_000);
    expect(stats.slice(3)).toMatchObject([[{ averageConcurrentRequests: 0, requestCount: 0 }]]);
  });
});
