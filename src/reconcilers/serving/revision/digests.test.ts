import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { type FakeClock, fakeClock } from "../../../../test/world/clock.js";
import type { DigestAnswer, DigestQuestion, ImageDigests, Key } from "../../../ports/index.js";
import { type DigestDesk, digestDesk, type Found, type Wish } from "./digests.js";

const key: Key = { namespace: "default", name: "cat-00001" };
const wish: Wish = {
  images: ["example.com/cat:v1"],
  credentials: [],
  registries: { mirrors: {}, plainHttp: [], skipTlsVerify: [], caCertificates: "" },
  skipping: ["dev.local"],
  timeoutMs: 10_000,
};
const refusal: DigestAnswer = { outcome: "missing", because: "no" };

let clock: FakeClock;
let asked: DigestQuestion[];
let answer: (question: DigestQuestion) => DigestAnswer | Promise<DigestAnswer>;
let woken: string[];
let desk: DigestDesk;

beforeEach(() => {
  clock = fakeClock();
  asked = [];
  woken = [];
  answer = ({ image }) => ({ outcome: "resolved", digest: `${image}@sha256:abc` });
  const digests: ImageDigests = {
    digestOf: async (question) => {
      asked.push(question);
      return answer(question);
    },
  };
  desk = digestDesk(digests, clock);
  desk.onAnswer(({ name }) => woken.push(name));
});

/** Asks, and lets happen what needs no time. */
async function ask(more: Partial<Wish> = {}, who = key, uid = "u"): Promise<Found> {
  const found = desk.ask(who, uid, { ...wish, ...more });
  await rest();
  return found;
}

async function rest(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) {
    await nextTurn();
    if (clock.runDue()) turns = 0;
  }
}

async function pass(ms: number): Promise<void> {
  clock.moveTo(clock.now() + ms);
  await rest();
}

/** An answer for the test to give. */
function later(): { give(answer: DigestAnswer): Promise<void> } {
  let resolve: (answer: DigestAnswer) => void = () => undefined;
  const promise = new Promise<DigestAnswer>((done) => {
    resolve = done;
  });
  answer = () => promise;
  return {
    async give(given) {
      resolve(given);
      await rest();
    },
  };
}

describe("the desk where digests are asked for", () => {
  it("gives at once what is known at once, and wakes nobody for it", async () => {
    const found = await ask();
    expect(found).toMatchObject({ outcome: "resolved" });
    expect(woken).toEqual([]);
  });

  it("asks about each image once, whoever names it how often", async () => {
    await ask({ images: ["a.example/x:1", "a.example/y:1", "a.example/x:1"] });
    expect(asked.map(({ image }) => image)).toEqual(["a.example/x:1", "a.example/y:1"]);
  });

  it("tells of the first image that fails, in the order of the containers", async () => {
    answer = ({ image }) => (image.includes("good") ? { outcome: "resolved", digest: "d" } : refusal);
    const found = await ask({ images: ["a.example/good:1", "a.example/bad:1", "a.example/worse:1"] });
    expect(found).toMatchObject({ outcome: "failed", image: "a.example/bad:1", because: "no" });
  });

  it("does not ask about a registry that is to be skipped, nor what is no image at all", async () => {
    const found = await ask({ images: ["dev.local/x:1"] });
    expect(found).toEqual({ outcome: "resolved", digests: new Map([["dev.local/x:1", ""]]) });
    expect(await ask({ images: ["Not An Image"] })).toMatchObject({
      because: 'failed to parse image name "Not An Image" into a tag: could not parse reference',
    });
    expect(asked).toEqual([]);
  });

  it("wakes whoever did not wait for a slow registry", async () => {
    const slow = later();
    expect(await ask()).toMatchObject({ outcome: "asking" });
    await slow.give({ outcome: "resolved", digest: "d" });
    expect(woken).toEqual(["cat-00001"]);
    expect(await ask()).toMatchObject({ outcome: "resolved" });
    expect(asked).toHaveLength(1);
  });

  it("asks again after 1 s, 2 s, 4 s, and never later than after 1000 s", async () => {
    answer = () => refusal;
    const waits: number[] = [];
    for (let times = 0; times < 13; times += 1) {
      const found = await ask();
      const wait = found.outcome === "failed" ? (found.againInMs ?? -1) : -1;
      waits.push(wait);
      await pass(wait - 1);
      const before = asked.length;
      await ask();
      expect(asked.length, "a moment too early").toBe(before);
      await pass(1);
    }
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(1_000_000);
  });

  it("waits as long as the registry asks for", async () => {
    answer = () => ({ outcome: "missing", because: "slow down", retryAfterMs: 120_000 });
    expect(await ask()).toMatchObject({ againInMs: 120_000 });
  });

  it("keeps saying what went wrong while it asks again, without being asked to look at it all the time", async () => {
    answer = () => refusal;
    await ask();
    await pass(1_000);
    const slow = later();
    expect(await ask()).toMatchObject({ outcome: "failed", because: "no", againInMs: undefined });
    await slow.give({ outcome: "resolved", digest: "d" });
    expect(woken).toEqual(["cat-00001"]);
  });

  it("asks at once when the wish has changed, or another object has the name", async () => {
    answer = () => refusal;
    await ask();
    await ask({ credentials: [{ registry: "example.com", username: "ann", password: "secret" }] });
    expect(asked).toHaveLength(2);
    await ask({}, key, "another");
    expect(asked).toHaveLength(3);
  });

  it("forgets whoever is gone", async () => {
    answer = () => refusal;
    await ask();
    desk.forget(key);
    expect(await ask()).toMatchObject({ againInMs: 1_000 });
    expect(asked).toHaveLength(2);
  });

  it("begins a hundred at once, and ten each second after", async () => {
    const never = new Promise<DigestAnswer>(() => undefined);
    answer = () => (asked.length > 50 ? refusal : never);
    for (let at = 0; at < 130; at += 1) {
      await ask({}, { namespace: "default", name: `r-${at}` }, String(at));
    }
    expect(asked).toHaveLength(100);
    await pass(1_000);
    expect(asked).toHaveLength(110);
    for (let seconds = 0; seconds < 5; seconds += 1) await pass(1_000);
    expect(asked).toHaveLength(130);
  });
});
