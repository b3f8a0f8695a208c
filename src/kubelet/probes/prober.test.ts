import { describe, expect, it } from "vitest";
import { fakeClock, seconds } from "../../../test/world/clock.js";
import type { Probe } from "../../domain/apis/core/container.types.js";
import { stirsAtOnce } from "../limits.js";
import { type ProbeSet, runProbes } from "./prober.js";

function watched(
  probes: Partial<ProbeSet>,
  isWell: (probe: Probe, atMs: number) => boolean,
  doubted?: () => AbortSignal,
  stirred?: () => AbortSignal,
) {
  const clock = fakeClock(0);
  const stop = new AbortController();
  const news: string[] = [];
  const asked: number[] = [];
  const tell = (text: string) => void news.push(`${(clock.now() / 1000).toFixed(1)} ${text}`);
  void runProbes(
    { startup: undefined, readiness: undefined, liveness: undefined, ...probes },
    {
      clock,
      async ask(probe) {
        asked.push(clock.now());
        return isWell(probe, clock.now()) ? { isWell: true } : { isWell: false, because: "no" };
      },
      ...(doubted && { doubted }),
      ...(stirred && { stirred }),
      onStarted: () => tell("started"),
      onReady: (isReady) => tell(isReady ? "ready" : "unready"),
      onFailed: (name) => tell(`${name} failed`),
      onGivenUp: (name) => tell(`${name} given up`),
    },
    stop.signal,
  );
  return {
    news,
    asked,
    async advance(ms: number) {
      const target = clock.now() + ms;
      for (;;) {
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        const next = clock.nextAtMs();
        if (next === undefined || next > target) break;
        clock.moveTo(next);
        clock.runDue();
      }
      clock.moveTo(target);
      return news;
    },
  };
}

const tcp = { tcpSocket: { port: 8080 } };

describe("probes", () => {
  it("none: ready at once", async () => {
    expect(await watched({}, () => true).advance(0)).toEqual(["0.0 started", "0.0 ready"]);
  });

  it("readiness is seen within 20 ms of a quick start, whatever the period", async () => {
    const world = watched({ readiness: { ...tcp, periodSeconds: 10 } }, (_probe, atMs) => atMs >= 130);
    await world.advance(200);
    expect(world.news).toEqual(["0.0 started", "0.1 ready"]);
    expect(Math.max(...world.asked)).toBeLessThanOrEqual(150);
  });

  it("readiness is asked for at once, and often, while nobody else knows whether the container is there", async () => {
    let doubt = new AbortController();
    const probe = { ...tcp, periodSeconds: 10, failureThreshold: 3 };
    const world = watched(
      { readiness: probe },
      (_probe, atMs) => atMs < 4_000 || atMs > 9_000,
      () => doubt.signal,
    );
    await world.advance(4_000);
    doubt.abort();
    await world.advance(5_000);
    expect(world.news.filter((line) => !line.includes("failed"))).toEqual([
      "0.0 started",
      "0.0 ready",
      "5.0 unready",
    ]);
    await world.advance(500);
    expect(world.news.at(-1)).toMatch(/9\.\d ready/);
    doubt = new AbortController();
    const before = world.asked.length;
    await world.advance(9_000);
    expect(world.asked.length - before).toBeLessThanOrEqual(2);
  });

  it("readiness is asked for whenever a starting container says something, though not without end", async () => {
    let said = new AbortController();
    const world = watched(
      { readiness: { ...tcp, periodSeconds: 10 } },
      () => false,
      undefined,
      () => said.signal,
    );
    const say = async () => {
      said.abort();
      said = new AbortController();
      await world.advance(0);
    };
    await world.advance(5);
    for (let times = 0; times < 100; times += 1) await say();
    expect(world.asked.filter((atMs) => atMs === 5)).toHaveLength(stirsAtOnce);
    for (let times = 0; times < 100; times += 1) {
      await world.advance(0.1);
      await say();
    }
    expect(world.asked.length).toBeLessThanOrEqual(1 + stirsAtOnce + 11);
  });

  it("a slow start is told of once a period, and never given up for readiness", async () => {
    const world = watched({ readiness: { ...tcp, periodSeconds: 10, failureThreshold: 1 } }, () => false);
    const news = await world.advance(seconds(35));
    expect(news.filter((line) => line.endsWith("Readiness failed")).length).toBe(3);
    expect(news).not.toContainEqual(expect.stringContaining("given up"));
  });

  it("an initial delay is honoured", async () => {
    const world = watched({ readiness: { ...tcp, initialDelaySeconds: 5 } }, () => true);
    expect(await world.advance(seconds(4))).toEqual(["0.0 started"]);
    expect(await world.advance(seconds(2))).toEqual(["0.0 started", "5.0 ready"]);
  });

  it("readiness goes after so many failures and comes back soon", async () => {
    const readiness = { ...tcp, periodSeconds: 2, failureThreshold: 2 };
    const world = watched({ readiness }, (_probe, atMs) => atMs < 3_000 || atMs >= 9_000);
    await world.advance(seconds(12));
    expect(world.news.filter((line) => !line.endsWith("failed"))).toEqual([
      "0.0 started",
      "0.0 ready",
      "6.0 unready",
      "9.0 ready",
    ]);
  });

  it("so many successes take their periods", async () => {
    const world = watched({ readiness: { ...tcp, periodSeconds: 1, successThreshold: 3 } }, () => true);
    expect(await world.advance(seconds(5))).toEqual(["0.0 started", "2.0 ready"]);
  });

  it("start-up is given its failures times its period, then given up", async () => {
    const startup = { ...tcp, periodSeconds: 5, failureThreshold: 3 };
    const news = await watched({ startup, liveness: tcp }, () => false).advance(seconds(60));
    expect(news).toEqual([
      "5.0 Startup failed",
      "10.0 Startup failed",
      "15.0 Startup failed",
      "15.0 Startup given up",
    ]);
  });

  it("liveness waits for start-up and gives up after its threshold", async () => {
    const startup = { ...tcp, periodSeconds: 1, failureThreshold: 60 };
    const liveness = { ...tcp, port: 1, periodSeconds: 10, failureThreshold: 2 };
    const isWell = (probe: Probe, atMs: number) => (probe === startup ? atMs >= 30_000 : atMs < 45_000);
    const news = await watched({ startup, liveness }, isWell).advance(seconds(100));
    expect(news.filter((line) => !line.includes("Startup"))).toEqual([
      "30.0 started",
      "30.0 ready",
      "50.0 Liveness failed",
      "60.0 Liveness failed",
      "60.0 Liveness given up",
    ]);
  });
});
