import { describe, expect, it } from "vitest";
import { fakeClock } from "../../test/world/index.js";
import { startLookMs, startTurnMs } from "./limits.js";
import { idleShareOfMachine, startTurns } from "./startTurns.js";

function world(atOnce: number) {
  const clock = fakeClock();
  let idle = 0;
  const turns = startTurns({ clock, atOnce, idleShare: () => idle });
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const take = (name: string, signal = new AbortController().signal) =>
    void turns.take(signal).then((over) => {
      began.push(name);
      ends.set(name, over);
    });
  return {
    began,
    take,
    end: (name: string) => ends.get(name)?.(),
    setIdle(share: number) {
      idle = share;
    },
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 10) {
        clock.moveTo(clock.now() + Math.min(left, 10));
        clock.runDue();
        await settled();
      }
    },
    clock,
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("pods that start", () => {
  it("begin at once where few do, and take turns where many do, in their order", async () => {
    const { began, take, end } = world(2);
    for (const name of ["a", "b", "c", "d"]) take(name);
    await settled();
    expect(began).toEqual(["a", "b"]);
    end("b");
    end("b");
    await settled();
    expect(began).toEqual(["a", "b", "c"]);
    end("a");
    end("c");
    take("e");
    await settled();
    expect(began).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("do not wait for one that takes long, nor while the processors have nothing to do", async () => {
    const { began, take, pass, setIdle } = world(1);
    for (const name of ["a", "b", "c"]) take(name);
    await pass(startTurnMs - 10);
    expect(began).toEqual(["a"]);
    await pass(10);
    expect(began).toEqual(["a", "b"]);
    setIdle(0.5);
    await pass(startLookMs);
    expect(began).toEqual(["a", "b", "c"]);
  });

  it("that end before their turn wait no more, and leave no timer", async () => {
    const { began, take, end, pass, clock } = world(1);
    const stop = new AbortController();
    take("a");
    take("b", stop.signal);
    take("c");
    stop.abort();
    take("d", stop.signal);
    await settled();
    expect(began).toEqual(["a", "b", "d"]);
    end("a");
    await settled();
    expect(began).toEqual(["a", "b", "d", "c"]);
    end("c");
    await pass(startLookMs);
    expect(clock.nextAtMs()).toBeUndefined();
  });

  it("are few enough by what the machine's processors do", async () => {
    const idleShare = idleShareOfMachine();
    idleShare();
    await new Promise((resolve) => setTimeout(resolve, 60));
    const share = idleShare();
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(1);
  });
});
