import { describe, expect, it } from "vitest";
import type { Configuration } from "../apis/serving/configuration.types.js";
import type { Revision } from "../apis/serving/revision.types.js";
import type { TrafficTarget } from "../apis/serving/traffic.types.js";
import { groupsOf, splitOf, statusShares } from "./groups.js";
import { resolveTraffic } from "./resolve.js";

const ready = (status: string, reason?: string) => [{ type: "Ready", status, reason }];

const configurations = new Map<string, Configuration>(
  [
    { name: "cat", latest: "cat-2", status: "True" },
    { name: "young", latest: undefined, status: "Unknown" },
    { name: "broken", latest: undefined, status: "False" },
    { name: "dangling", latest: "dangling-1", status: "True" },
  ].map(({ name, latest, status }) => [
    name,
    { metadata: { name }, status: { latestReadyRevisionName: latest, conditions: ready(status) } } as never,
  ]),
);

const revisions = new Map<string, Revision>(
  [
    { name: "cat-1", of: "cat", status: "True" },
    { name: "cat-2", of: "cat", status: "False" },
    { name: "starting", of: "cat", status: "Unknown" },
    { name: "orphan", of: "nobody", status: "True" },
    { name: "stray", of: undefined, status: "True" },
    { name: "other-1", of: "other", status: "True" },
  ].map(({ name, of, status }) => [
    name,
    {
      metadata: {
        name,
        labels: of && { "serving.knative.dev/configuration": of, "serving.knative.dev/service": of },
      },
      status: { conditions: ready(status) },
    } as never,
  ]),
);

const resolve = (traffic: readonly TrafficTarget[], service?: string) =>
  resolveTraffic(traffic, {
    service,
    configuration: (name) => configurations.get(name),
    revision: (name) => revisions.get(name),
  });

const said = (traffic: readonly TrafficTarget[], service?: string) => {
  const { verdict } = resolve(traffic, service);
  return [verdict.status, verdict.reason, verdict.message].filter(Boolean).join(" ");
};

describe("a target", () => {
  it.each<[string, TrafficTarget, string, string?]>([
    ["the latest ready Revision, even while it ails", { configurationName: "cat" }, "True"],
    ["a pinned Revision that is ready", { revisionName: "cat-1" }, "True"],
    [
      "no such Configuration",
      { configurationName: "dog" },
      "False ConfigurationMissing Configuration 'dog' referenced in traffic not found",
    ],
    [
      "a Configuration that works on its first Revision",
      { configurationName: "young" },
      "Unknown RevisionMissing Configuration 'young' is waiting for a Revision to become ready.",
    ],
    [
      "a Configuration whose only Revision failed",
      { configurationName: "broken" },
      "False RevisionMissing Configuration 'broken' does not have a LatestReadyRevision.",
    ],
    [
      "a latest ready Revision that is gone",
      { configurationName: "dangling" },
      "False RevisionMissing Revision 'dangling-1' referenced in traffic not found",
    ],
    [
      "no such Revision",
      { revisionName: "qyzz" },
      "False RevisionMissing Revision 'qyzz' referenced in traffic not found",
    ],
    [
      "a pinned Revision that failed",
      { revisionName: "cat-2" },
      "False RevisionMissing Revision 'cat-2' failed to become ready.",
    ],
    [
      "a pinned Revision that starts",
      { revisionName: "starting" },
      "Unknown RevisionMissing Revision 'starting' is not yet ready.",
    ],
    [
      "a pinned Revision whose Configuration is gone",
      { revisionName: "orphan" },
      "False ConfigurationMissing Configuration 'nobody' referenced in traffic not found",
    ],
    [
      "a Revision of another Service",
      { revisionName: "other-1" },
      "False RevisionNotOwned Revision 'other-1' belongs to Service 'other', not Service 'cat'.",
      "cat",
    ],
    [
      "a Revision of no Service",
      { revisionName: "stray" },
      "False RevisionNotOwned Revision 'stray' does not belong to Service 'cat'.",
      "cat",
    ],
  ])("%s", (_name, target, want, service) => {
    expect(said([{ percent: 100, ...target }], service)).toBe(want);
  });

  it("that fails speaks before one that is pending, the last of them first", () => {
    const traffic = [{ revisionName: "a" }, { revisionName: "b" }, { configurationName: "young" }];
    expect(said(traffic)).toContain("Revision 'b' referenced");
    expect(resolve(traffic)).toMatchObject({ shares: [], missing: true });
    expect(resolve([{ configurationName: "young" }]).missing).toBe(false);
  });
});

describe("what hosts serve", () => {
  const { shares } = resolve([
    { configurationName: "cat", percent: 90 },
    { revisionName: "cat-1", percent: 10, tag: "old" },
    { revisionName: "cat-1", percent: 0, tag: "idle" },
  ]);
  const splits = (rollout = [] as never) =>
    [...groupsOf(shares)].map(([tag, targets]) => [tag, [...splitOf(tag, targets, rollout)]]);

  it("is every share under the Route's name, and each tag's own under its name", () => {
    expect(splits()).toEqual([
      [
        "",
        [
          ["cat-2", 90],
          ["cat-1", 10],
        ],
      ],
      ["old", [["cat-1", 100]]],
      ["idle", [["cat-1", 100]]],
    ]);
  });

  it("follows the rollout where there is one, and status says so", () => {
    const rollout = [
      {
        configurationName: "cat",
        tag: "",
        percent: 90,
        revisions: [
          { revisionName: "cat-1", percent: 80 },
          { revisionName: "cat-2", percent: 10 },
        ],
      },
    ];
    expect(splits(rollout as never)[0]).toEqual([
      "",
      [
        ["cat-1", 90],
        ["cat-2", 10],
      ],
    ]);
    const lines = statusShares(shares, rollout);
    expect(lines.map((one) => [one.tag, one.revisionName, one.percent, one.latestRevision])).toEqual([
      [undefined, "cat-1", 80, false],
      [undefined, "cat-2", 10, true],
      ["old", "cat-1", 10, false],
      ["idle", "cat-1", 0, false],
    ]);
  });

  it("of one rollout is shared out among the lines that follow it", () => {
    const two = resolve([
      { configurationName: "cat", percent: 60 },
      { configurationName: "cat", percent: 40, tag: "now" },
    ]).shares;
    const revisions = [
      { revisionName: "cat-1", percent: 70 },
      { revisionName: "cat-2", percent: 30 },
    ];
    const lines = statusShares(two, [{ configurationName: "cat", tag: "", percent: 100, revisions }]);
    expect(lines.map((one) => [one.tag, one.revisionName, one.percent])).toEqual([
      [undefined, "cat-1", 30],
      [undefined, "cat-2", 30],
      ["now", "cat-1", 40],
    ]);
  });
});
