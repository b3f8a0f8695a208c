import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hurryMs, letPassMs, newsLatestMs, newsRestMs } from "./limits.js";
import { makeQuiet } from "./quiet.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("news", () => {
  it("comes a moment later when all is quiet", () => {
    const quiet = makeQuiet();
    const heard: string[] = [];
    quiet.soon(() => heard.push("one"));
    quiet.soon(() => heard.push("two"));
    vi.advanceTimersByTime(newsRestMs - 1);
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(heard).toEqual(["one", "two"]);
  });

  it("waits for rounds under way", () => {
    const quiet = makeQuiet();
    const heard: string[] = [];
    quiet.enter();
    quiet.enter();
    quiet.soon(() => heard.push("one"));
    vi.advanceTimersByTime(newsRestMs + 5);
    quiet.leave();
    expect(heard).toEqual([]);
    quiet.leave();
    expect(heard).toEqual(["one"]);
    quiet.soon(() => heard.push("two"));
    vi.advanceTimersByTime(newsRestMs);
    expect(heard).toEqual(["one", "two"]);
  });

  it("does not wait for ever", () => {
    const quiet = makeQuiet();
    const heard: string[] = [];
    quiet.enter();
    quiet.soon(() => heard.push("one"));
    vi.advanceTimersByTime(newsLatestMs - 1);
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(heard).toEqual(["one"]);
  });

  it("waits while somebody waits for a pod, and no longer than ever", () => {
    const quiet = makeQuiet();
    const heard: string[] = [];
    quiet.hurry();
    expect(quiet.isHurried()).toBe(true);
    quiet.soon(() => heard.push("one"));
    vi.advanceTimersByTime(hurryMs - 1);
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(heard).toEqual(["one"]);
    expect(quiet.isHurried()).toBe(false);

    quiet.soon(() => heard.push("two"));
    for (let ms = 0; ms < newsLatestMs - 1; ms += 1) {
      quiet.hurry();
      vi.advanceTimersByTime(1);
    }
    expect(heard).toEqual(["one"]);
    vi.advanceTimersByTime(1);
    expect(heard).toEqual(["one", "two"]);
  });

  it("lets what is waited for pass", async () => {
    const quiet = makeQuiet();
    let hasPassed = false;
    void quiet.letPass().then(() => {
      hasPassed = true;
    });
    await vi.advanceTimersByTimeAsync(letPassMs - 1);
    expect(hasPassed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(hasPassed).toBe(true);
  });
});
