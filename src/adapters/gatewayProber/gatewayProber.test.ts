// The prober against real listeners that answer as they are told.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Probed, ProbeQuestion } from "../../ports/index.js";
import { systemClock } from "../clock/index.js";
import { gatewayProber, type ProbeAddress } from "./index.js";

interface Listener {
  readonly address: ProbeAddress;
  /** `HOST HASH` of each probe that came. */
  readonly asked: string[];
  atOnce: number;
  most: number;
  answer: (host: string, response: ServerResponse) => void;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listener(hash: string | undefined, status = 200): Promise<Listener> {
  const server: Server = createServer((request, response) => {
    one.asked.push(`${request.headers.host} ${request.headers["k-network-hash"]}`);
    one.atOnce += 1;
    one.most = Math.max(one.most, one.atOnce);
    response.on("close", () => {
      one.atOnce -= 1;
    });
    one.answer(request.headers.host ?? "", response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const one: Listener = {
    address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    asked: [],
    atOnce: 0,
    most: 0,
    answer: (_, response) =>
      response.writeHead(status, hash === undefined ? {} : { "k-network-hash": hash }).end(),
  };
  return one;
}

function prober(external: readonly Listener[], local: readonly Listener[]) {
  const of = { external, local };
  const clock = skewedClock();
  const made = gatewayProber((visibility) => of[visibility].map(({ address }) => address), clock);
  closers.push(() => made.close());
  return { ask: (question: ProbeQuestion) => made.probe(question), clock };
}

/** The system's clock, and a way to let more time pass than does. */
function skewedClock() {
  const clock = systemClock();
  let aheadMs = 0;
  return {
    ...clock,
    now: () => clock.now() + aheadMs,
    pass: (ms: number) => {
      aheadMs += ms;
    },
  };
}

function question(hosts: readonly string[], more: Partial<ProbeQuestion> = {}): ProbeQuestion {
  return {
    owner: "Ingress default/cat",
    version: "v1",
    guarded: "",
    targets: hosts.flatMap((host) => [
      { host, visibility: "external" as const, hash: "v1" },
      { host: `${host}.local`, visibility: "local" as const, hash: "v1" },
    ]),
    ...more,
  };
}

describe("the gateway's prober", () => {
  it("asks every host at every listener, for the configuration by its hash", async () => {
    const [a, b, inside] = [await listener("v1"), await listener("v1"), await listener("v1")];
    const { ask } = prober([a, b], [inside]);
    expect(await ask(question(["one", "two"]))).toEqual({ outcome: "ready" });
    for (const outside of [a, b]) expect(outside.asked.sort()).toEqual(["one override", "two override"]);
    expect(inside.asked.sort()).toEqual(["one.local override", "two.local override"]);
  });

  it("waits for the one listener that does not have it, in the seed's words", async () => {
    const [good, stale] = [await listener("v1"), await listener("v0")];
    const { ask } = prober([good, stale], [good]);
    const { port } = stale.address;
    expect(await ask(question(["one"]))).toEqual({
      outcome: "notReady",
      because: `Probing of http://one:${port}/ failed, IP: 127.0.0.1:${port}, ready: false, error: unexpected hash: want "v1", got "v0" (depth: 0)`,
      againMs: expect.any(Number),
    });
  });

  it("remembers what was proven until something else is configured", async () => {
    const one = await listener("v1");
    const { ask } = prober([one], [one]);
    await ask(question(["one"]));
    const before = one.asked.length;
    expect(await ask(question(["one"]))).toEqual({ outcome: "ready" });
    expect(one.asked).toHaveLength(before);
    await ask(question(["one"], { version: "v2" }));
    expect(one.asked.length).toBeGreaterThan(before);
  });

  it("asks less and less often, and no sooner than it says", async () => {
    const one = await listener(undefined, 404);
    const { ask, clock } = prober([one], [one]);
    const waits: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      const answer = await ask(question(["one"]));
      const before = one.asked.length;
      await ask(question(["one"]));
      expect(one.asked).toHaveLength(before);
      waits.push(answer.againMs ?? 0);
      clock.pass(answer.againMs ?? 0);
    }
    for (const [round, ms] of waits.slice(0, 9).entries()) {
      expect(ms).toBeLessThanOrEqual(50 * 2 ** round);
      expect(ms).toBeGreaterThan((50 * 2 ** round) / 2);
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
  });

  it("has at most fifteen probes under way", async () => {
    const one = await listener("v1");
    one.answer = (_, response) => {
      setTimeout(() => response.writeHead(200, { "k-network-hash": "v1" }).end(), 20);
    };
    const { ask } = prober([one], [one]);
    const hosts = Array.from({ length: 40 }, (_, index) => `host-${index}`);
    expect(await ask(question(hosts))).toEqual({ outcome: "ready" });
    expect(one.most).toBeLessThanOrEqual(15);
    expect(one.most).toBeGreaterThan(5);
  });

  it.each<[number, Probed["outcome"], string]>([
    [401, "inFront", "AuthenticationInFront"],
    [302, "inFront", "AuthenticationInFront"],
    [403, "inFront", "PolicyInFront"],
  ])("takes %i for something in front, which may go without a word", async (status, outcome, reason) => {
    const one = await listener(undefined, status);
    const { ask, clock } = prober([one], [one]);
    const answer = await ask(question(["one"]));
    expect(answer).toMatchObject({ outcome, reason });
    one.answer = (_, response) => response.writeHead(200, { "k-network-hash": "v1" }).end();
    // Both listeners' turns, whichever came later.
    clock.pass((answer.againMs ?? 0) + 1_000);
    expect(await ask(question(["one"]))).toEqual({ outcome: "ready" });
  });

  it("asks once more when policies changed, as they reach the gateway later", async () => {
    const one = await listener("v1");
    const { ask, clock } = prober([one], [one]);
    await ask(question(["one"]));
    const early = await ask(question(["one"], { guarded: "policy-1" }));
    expect(early.outcome).toBe("ready");
    one.answer = (_, response) => response.writeHead(403).end();
    clock.pass(early.againMs ?? 0);
    expect(await ask(question(["one"], { guarded: "policy-1" }))).toMatchObject({ reason: "PolicyInFront" });
  });

  it("says that nobody answers, and that nothing runs", async () => {
    const silent = await listener("v1");
    silent.answer = () => {};
    const closed = { ...silent, address: { host: "127.0.0.1", port: 1 } };
    expect(await prober([closed], [closed]).ask(question(["one"]))).toMatchObject({
      because: expect.stringMatching(/^Probing of http:\/\/one:1\/ failed, IP: 127.0.0.1:1, .*ECONNREFUSED/),
    });
    expect(await prober([], []).ask(question(["one"]))).toMatchObject({
      because: "the gateway is not running",
    });
  });
});
