import { describe, expect, it } from "vitest";
import { fakeClock } from "../../../test/world/clock.js";
import { PortError } from "../../ports/index.js";
import { statusWriter } from "./statusWriter.js";

function writer(fail: (attempt: number) => PortError | undefined = () => undefined) {
  const clock = fakeClock();
  const over = new AbortController();
  const written: string[] = [];
  let attempt = 0;
  let reason = "one";
  let mayWait = false;
  const status = statusWriter({
    clock,
    log: { info() {}, error() {} },
    over: over.signal,
    make: () => ({ reason }),
    mayWait: () => mayWait,
    async write(made) {
      const error = fail(++attempt);
      if (error !== undefined) throw error;
      written.push(made.reason ?? "");
    },
  });
  return {
    written,
    over,
    status,
    clock,
    say(what: string, canWait = false) {
      reason = what;
      mayWait = canWait;
      status.publish();
    },
  };
}

describe("a pod's status", () => {
  it("is written once for changes of one moment, and not at all without a change", async () => {
    const { say, status, written } = writer();
    say("one");
    say("two");
    await status.flush();
    say("two");
    await status.flush();
    expect(written).toEqual(["two"]);
  });

  it("waits a moment where it can for what comes next, and not at all where it cannot", async () => {
    const { say, status, written, clock } = writer();
    say("on its way", true);
    await expect.poll(() => clock.nextAtMs()).toBeDefined();
    say("ready");
    await status.flush();
    expect(written).toEqual(["ready"]);
    expect(clock.nextAtMs()).toBeUndefined();
    say("on its way again", true);
    await expect.poll(() => clock.nextAtMs()).toBeDefined();
    clock.moveTo(clock.nextAtMs()!);
    clock.runDue();
    await expect.poll(() => written).toEqual(["ready", "on its way again"]);
  });

  it("is written again after a conflict, as it is by then", async () => {
    const { say, status, written, clock } = writer((attempt) =>
      attempt === 1 ? new PortError("Conflict", "changed") : undefined,
    );
    say("one");
    await expect.poll(() => clock.nextAtMs()).toBeDefined();
    say("two");
    clock.moveTo(clock.nextAtMs()!);
    clock.runDue();
    await status.flush();
    expect(written).toEqual(["two"]);
  });

  it("is not written to a pod that is gone", async () => {
    const { say, status, written } = writer((attempt) =>
      attempt === 1 ? new PortError("NotFound", "gone") : undefined,
    );
    say("one");
    await status.flush();
    say("two");
    await status.flush();
    expect(written).toEqual([]);
  });

  it("is not written when all is over", async () => {
    const { say, status, written, over } = writer();
    over.abort();
    say("one");
    await status.flush();
    expect(written).toEqual([]);
  });
});
