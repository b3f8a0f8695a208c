import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupsOf } from "./groups.js";
import type { Share } from "./resolve.js";
import { advance, goalOf, isGradual, type Moment, nextStepMs, type Rollout } from "./rollout.js";
import { readRollout, writeRollout } from "./rolloutText.js";

const startMs = Date.UTC(2026, 0, 1);
const latest = (revisionName: string, percent = 100, tag?: string): Share => ({
  revisionName,
  percent,
  tag,
  latestRevision: true,
  configurationName: "cat",
});
const goal = (...shares: readonly Share[]): Rollout => goalOf(groupsOf(shares));
const at = (seconds: number, more: Partial<Moment> = {}): Moment => ({
  nowMs: startMs + seconds * 1000,
  confirmed: true,
  durationSeconds: 60,
  exists: () => true,
  ...more,
});
const said = (rollout: Rollout) =>
  rollout.map((one) => one.revisions.map((r) => `${r.revisionName} ${r.percent}`).join(", "));

const settled = goal(latest("cat-1"));
const begun = advance(goal(latest("cat-2")), settled, at(0));

describe("a gradual rollout", () => {
  it("is never the first deployment", () => {
    expect(advance(settled, [], at(0))).toEqual(settled);
  });

  it("is off unless a duration is said", () => {
    const wish = goal(latest("cat-2"));
    expect(advance(wish, settled, at(0, { durationSeconds: 0 }))).toEqual(wish);
  });

  it("begins with one percent", () => {
    expect(said(begun)).toEqual(["cat-1 99, cat-2 1"]);
    expect(begun[0]?.startedMs).toBe(startMs);
    expect(nextStepMs(begun)).toBeUndefined();
  });

  it("takes its pace from how long the gateway needed for the first step", () => {
    // The reference's example: 60 seconds in all, ready after 2.
    const paced = advance(goal(latest("cat-2")), begun, at(2));
    expect(paced[0]).toMatchObject({ stepSize: 3, stepDurationMs: 2000, nextStepMs: startMs + 4000 });
    expect(said(paced)).toEqual(["cat-1 99, cat-2 1"]);
    expect(said(advance(goal(latest("cat-2")), paced, at(4)))).toEqual(["cat-1 96, cat-2 4"]);
  });

  it("waits for the gateway before it goes on", () => {
    const paced = advance(goal(latest("cat-2")), begun, at(2));
    expect(advance(goal(latest("cat-2")), paced, at(30, { confirmed: false }))).toEqual(paced);
  });

  it("ends with everything at the newest", () => {
    let rollout = begun;
    let seconds = 2;
    for (; isGradual(rollout); seconds += 2) rollout = advance(goal(latest("cat-2")), rollout, at(seconds));
    expect(rollout).toEqual(goal(latest("cat-2")));
    expect(seconds).toBeGreaterThan(60);
    expect(seconds).toBeLessThan(75);
  });

  it("starts anew, from the newest, when yet another Revision comes", () => {
    const paced = advance(goal(latest("cat-2")), begun, at(2));
    const stepped = advance(goal(latest("cat-2")), paced, at(4));
    const third = advance(goal(latest("cat-3")), stepped, at(5));
    expect(said(third)).toEqual(["cat-1 96, cat-2 3, cat-3 1"]);
    expect(third[0]).toMatchObject({ startedMs: startMs + 5000 });
    expect(third[0]?.stepDurationMs).toBeUndefined();
  });

  it("lets a Revision that comes back keep what it had", () => {
    expect(said(advance(goal(latest("cat-1")), begun, at(5)))).toEqual(["cat-2 1, cat-1 99"]);
  });

  it("gives what a vanished Revision had to the newest", () => {
    const gone = at(5, { exists: (name) => name !== "cat-1" });
    expect(advance(goal(latest("cat-2")), begun, gone)).toEqual(goal(latest("cat-2")));
  });

  it("gives more to the newest and takes less from the oldest when its percent changes", () => {
    const half = goal(latest("cat-2", 50), pinned("other", 50));
    expect(said(advance(half, begun, at(5, { confirmed: false })))).toEqual(["cat-1 49, cat-2 1"]);
    const back = advance(goal(latest("cat-2")), advance(half, begun, at(5)), at(6, { confirmed: false }));
    expect(said(back)).toEqual(["cat-1 49, cat-2 51"]);
  });

  it("has nothing to divide in one percent", () => {
    const tiny = goal(latest("cat-2", 1), pinned("other", 99));
    expect(advance(tiny, goal(latest("cat-1", 1), pinned("other", 99)), at(0))).toEqual(tiny);
  });

  it("goes its own way under each tag", () => {
    const wish = goal(latest("cat-2", 100, "next"));
    expect(said(advance(wish, goal(latest("cat-1", 100, "next")), at(0)))).toEqual([
      "cat-1 99, cat-2 1",
      "cat-1 99, cat-2 1",
    ]);
  });

  it("keeps the sum, and comes to its end, whatever happens on the way", () => {
    const event = fc.record({
      revision: fc.integer({ min: 1, max: 4 }),
      percent: fc.integer({ min: 1, max: 100 }),
      seconds: fc.integer({ min: 0, max: 90 }),
      confirmed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        let rollout = settled;
        let wish = settled;
        let seconds = 0;
        for (const { revision, percent, seconds: more, confirmed } of events) {
          seconds += more;
          wish = goal(latest(`cat-${revision}`, percent), pinned("other", 100 - percent));
          rollout = advance(wish, rollout, at(seconds, { confirmed }));
          const total = rollout[0]?.revisions.reduce((sum, one) => sum + one.percent, 0);
          expect(total).toBe(wish[0]?.percent);
          expect(readRollout(writeRollout(rollout))).toEqual(rollout);
        }
        for (let looks = 0; looks < 300 && isGradual(rollout); looks += 1) {
          seconds += 60;
          rollout = advance(wish, rollout, at(seconds));
        }
        expect(rollout).toEqual(wish);
      }),
    );
  });
});

describe("the annotation", () => {
  it("is upstream's, in nanoseconds", () => {
    const paced = advance(goal(latest("cat-2", 100, "next")), goal(latest("cat-1", 100, "next")), at(0));
    expect(JSON.parse(writeRollout(paced))).toEqual({
      configurations: ["", "next"].map((tag) => ({
        configurationName: "cat",
        ...(tag === "" ? {} : { tag }),
        percent: 100,
        revisions: [
          { revisionName: "cat-1", percent: 99 },
          { revisionName: "cat-2", percent: 1 },
        ],
        stepParams: { starttime: startMs * 1e6 },
      })),
    });
  });

  it.each([
    ["no annotation", undefined],
    ["no JSON", "{"],
    ["no list", '{"configurations":1}'],
    ["more than everything", text({ percent: 101 }, 101)],
    ["a sum that is not the percent", text({ percent: 100 }, 99)],
    ["a step beyond the percent", text({ percent: 50, stepParams: { stepSize: 51 } }, 50)],
  ])("is not believed: %s", (_why, annotation) => {
    expect(readRollout(annotation)).toEqual([]);
  });
});

function pinned(revisionName: string, percent: number): Share {
  return { revisionName, percent, tag: undefined, latestRevision: false, configurationName: undefined };
}

function text(entry: object, percent: number): string {
  const revisions = [{ revisionName: "cat-1", percent }];
  return JSON.stringify({ configurations: [{ configurationName: "cat", revisions, ...entry }] });
}
