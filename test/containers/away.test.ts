// The engine goes away and comes back, and Drydock is killed: what becomes of pods, and what is left behind.
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/clock/index.js";
import { containerEngine, sweepEngine } from "../../src/adapters/engine/index.js";
import type { Pod } from "../../src/domain/apis/core/pod.types.js";
import type { Engine } from "../../src/ports/index.js";
import { isReady, type KubeletWorld, kubeletWorld } from "../kubelet/harness.js";
import { describeWithEngine, goImage } from "./engine.js";
import { startKillable } from "./starter.js";

/** The engine's socket, with a door that can be shut: those inside are cut off, those who come find nobody. */
function door(engineSocket: string, path: string) {
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  return {
    async open(): Promise<void> {
      server = createServer((client) => {
        const engine = connect(engineSocket);
        for (const [one, other] of [
          [client, engine],
          [engine, client],
        ] as const) {
          sockets.add(one);
          one.on("error", () => other.destroy());
          one.once("close", () => sockets.delete(one) && other.end());
          one.pipe(other);
        }
      });
      await new Promise<void>((resolve) => server!.listen(path, resolve));
    },
    async shut(): Promise<void> {
      const closed = new Promise((resolve) => server?.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

describeWithEngine("with an engine that may go", ({ api, address }) => {
  const engineSocket = address.url.replace("unix://", "");
  let goTag: string;
  let home: string;
  let way: ReturnType<typeof door>;
  let engine: Engine;
  let world: KubeletWorld;

  beforeAll(async () => {
    goTag = await goImage(api);
  }, 300_000);
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "away-"));
    way = door(engineSocket, join(home, "engine.sock"));
    await way.open();
    const around = {
      env: { DOCKER_HOST: `unix://${join(home, "engine.sock")}` },
      home,
      platform: process.platform,
    };
    engine = containerEngine({ home, clock: systemClock(), log: { info() {}, error() {} }, around });
    world = await kubeletWorld({ kubelet: { engine } });
  });
  afterEach(async () => {
    await world.close();
    await engine.close();
    await way.shut();
    await rm(home, { recursive: true, force: true });
  });

  const status = (pod: Pod) => pod.status?.containerStatuses?.[0];
  const idOf = (pod: Pod) => status(pod)?.containerID?.split("//")[1] ?? "";
  const ask = async (pod: Pod) => {
    const ports = JSON.parse(pod.metadata.annotations?.["drydock.dev/ports"] ?? "{}") as Record<
      string,
      number
    >;
    return (await fetch(`http://127.0.0.1:${ports[8080]}/`)).status;
  };
  async function served(name: string): Promise<Pod> {
    await world.create({
      name,
      containers: [
        { name: "c", image: goTag, readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 } },
      ],
    });
    return world.until(name, isReady, 30_000);
  }

  it("containers that outlive it go on serving, and are followed again", async () => {
    const pod = await served("stays");
    await way.shut();
    await expect
      .poll(() => world.events.join("\n"), { timeout: 10_000 })
      .toMatch(/Warning EngineAway: .*does not answer/);
    expect(await ask(pod)).toBe(200);
    await way.open();
    await expect.poll(() => world.events.join("\n"), { timeout: 10_000 }).toContain("Normal EngineBack");
    const now = await world.get("stays");
    expect(now !== undefined && isReady(now)).toBe(true);
    expect(status(now!)?.restartCount).toBe(0);
    await api.call("POST", `/containers/${idOf(pod)}/kill`);
    await world.until("stays", (one) => status(one)?.restartCount === 1 && isReady(one), 20_000);
  }, 60_000);

  it("containers that go with it come back with it, and their status says what happened", async () => {
    const pod = await served("goes");
    await way.shut();
    await expect.poll(() => world.events.join("\n"), { timeout: 10_000 }).toContain("EngineAway");
    await api.call("POST", `/containers/${idOf(pod)}/kill`);
    await world.until("goes", (one) => !isReady(one), 20_000);
    await way.open();
    const again = await world.until("goes", (one) => status(one)?.restartCount === 1 && isReady(one), 20_000);
    expect(status(again)?.lastState?.terminated).toMatchObject({
      exitCode: 137,
      reason: "Error",
      message: expect.stringMatching(/^it ended while the container engine was away: .*does not answer/),
    });
  }, 60_000);

  it("pods that come meanwhile wait, and say for whom", async () => {
    await served("first");
    await way.shut();
    await world.create({ name: "later", containers: [{ name: "c", image: goTag }] });
    const waits = await world.until("later", (one) => status(one)?.state?.waiting?.message !== undefined);
    expect(status(waits)?.state?.waiting?.message).toMatch(/the container engine at unix:.* does not answer/);
    await way.open();
    await world.until("later", isReady, 40_000);
  }, 60_000);
});

describeWithEngine("when Drydock is killed", ({ api, address }) => {
  let home: string;
  const drydocks: ChildProcess[] = [];
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "killed-"));
  });
  afterEach(async () => {
    for (const one of drydocks.splice(0)) one.kill("SIGKILL");
    await rm(home, { recursive: true, force: true });
  });
  afterAll(async () => expect(await left()).toEqual([]));

  async function left(): Promise<readonly string[]> {
    const all = await api.call<readonly { Names: readonly string[]; Labels: Record<string, string> }[]>(
      "GET",
      "/containers/json",
      { query: { all: true, filters: JSON.stringify({ label: ["dev.drydock.owner"] }) } },
    );
    return all
      .filter(({ Labels }) => Labels["io.kubernetes.pod.namespace"] === "killed")
      .flatMap(({ Names }) => Names);
  }

  it("nothing of it is left once somebody has looked, be it the next start or `down`", async () => {
    const image = await goImage(api);
    for (let round = 0; round < 3; round++) {
      const { child, started } = await startKillable(home, address.url, image);
      drydocks.push(child);
      await started;
      // Its own containers and the one that holds their network.
      expect(await left()).toHaveLength(3);
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      expect(existsSync(join(home, "engine.json"))).toBe(true);
      if (round === 0) continue;
      expect(await sweepEngine(home, systemClock())).toHaveLength(3);
      expect(await left()).toEqual([]);
      expect(existsSync(join(home, "engine.json"))).toBe(false);
    }
  }, 120_000);
});
