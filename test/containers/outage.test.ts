/**
 * A real engine stops and starts again under load, beneath a whole instance: what still runs goes on answering, what
 * went with the engine comes back, and the status says what happened.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Pod } from "../../src/domain/apis/core/pod.types.js";
import { goImage } from "./engine.js";
import { type Killable, killableInstance } from "./instance.js";
import { describeWithPodman, type PodmanService, podmanService } from "./podman.js";

describeWithPodman("an engine that stops under load", (engine) => {
  const { api } = engine;
  let podman: PodmanService;
  let drydock: Killable;

  beforeAll(async () => {
    const image = await goImage(api);
    podman = await podmanService(engine);
    drydock = await killableInstance({ DOCKER_HOST: podman.url });
    await drydock.up();
    const container = (name: string, port: number, more: object = {}) => ({
      ...{ name, image, env: [{ name: "LISTEN_ON", value: String(port) }] },
      ...more,
    });
    await drydock.apply({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: "busy" },
      spec: {
        template: {
          metadata: { annotations: { "autoscaling.knative.dev/min-scale": "2" } },
          spec: {
            timeoutSeconds: 60,
            containers: [
              container("front", 8080, { ports: [{ containerPort: 8080 }] }),
              container("helper", 9095),
            ],
          },
        },
      },
    });
    await drydock.kubectl("wait", "ksvc/busy", "--for=condition=Ready", "--timeout=60s");
  }, 300_000);
  afterAll(async () => {
    await podman?.start();
    await drydock?.remove();
    await podman?.remove();
  });

  const pods = async () => (await drydock.get<{ readonly items: readonly Pod[] }>("pods")).items;
  const isReady = ({ status }: Pod) =>
    status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  const ids = (pod: Pod) => (pod.status?.containerStatuses ?? []).map(({ containerID = "" }) => containerID);
  const events = () => drydock.kubectl("get", "events", "-o", "custom-columns=R:.reason,M:.message");
  const ours = () =>
    api.call<readonly { readonly Id: string; readonly Names: readonly string[]; readonly State: string }[]>(
      "GET",
      "/containers/json",
      {
        query: { all: true, filters: JSON.stringify({ label: [`dev.drydock.home=${drydock.home}`] }) },
      },
    );

  /** Four that ask without a pause. */
  function load() {
    const codes: Record<string, number> = {};
    const ending = new AbortController();
    const asking = Array.from({ length: 4 }, async () => {
      while (!ending.signal.aborted) {
        const code = await fetch(`${drydock.gatewayUrl}/serving/default/busy/beside?port=9095`, {
          signal: AbortSignal.timeout(30_000),
        }).then(
          (answer) => answer.text().then(() => answer.status),
          (error: Error) => error.name,
        );
        codes[code] = (codes[code] ?? 0) + 1;
        await pause(5);
      }
    });
    return {
      codes,
      async end() {
        ending.abort();
        await Promise.all(asking);
      },
    };
  }

  it("loses no request while containers go on without it", async () => {
    await expect.poll(async () => (await pods()).filter(isReady).length, { timeout: 60_000 }).toBe(2);
    const before = (await pods()).flatMap(ids);
    const traffic = load();
    await pause(500);
    await podman.stop();
    await expect.poll(events, { timeout: 20_000 }).toMatch(/EngineAway +.*does not answer/);
    await pause(1_000);
    await podman.start();
    await expect.poll(events, { timeout: 20_000 }).toContain("EngineBack");
    await traffic.end();
    expect(Object.keys(traffic.codes)).toEqual(["200"]);
    console.log(`engine away, containers alive: ${traffic.codes["200"]} requests, none failed`);
    expect((await pods()).flatMap(ids)).toEqual(before);
  }, 90_000);

  /** As when their machine stops: no socket hears of it, for the network is gone before those who were in it. */
  async function endAll(): Promise<void> {
    const all = await ours();
    const holders = all.filter(({ Names }) => Names.some((name) => name.includes("_POD_")));
    for (const { Id } of [...holders, ...all])
      await api.call("POST", `/containers/${Id}/kill`).catch(() => {});
  }

  it.each([
    ["", 2_000],
    [", though the engine is away and cannot say so", 6_000],
  ])(
    "gives back at once what pods had that are no more%s",
    async (engineIsAway, withinMs) => {
      await expect.poll(async () => (await pods()).filter(isReady).length, { timeout: 60_000 }).toBe(2);
      // What may not be sent twice: anything else would go to the pod's next life.
      const hanging = Array.from({ length: 8 }, () =>
        fetch(`${drydock.gatewayUrl}/serving/default/busy/hang`, { method: "POST" }),
      );
      await pause(500);
      if (engineIsAway) await podman.stop();
      await endAll();
      const endedMs = Date.now();
      try {
        for (const answer of await Promise.all(hanging)) {
          expect(answer.status).toBe(502);
          expect(await answer.text()).toMatch(/broke off: its container has ended/);
        }
        const tookMs = Date.now() - endedMs;
        console.log(`containers gone${engineIsAway}: 8 requests told with 502 after ${tookMs} ms`);
        expect(tookMs).toBeLessThan(withinMs);
      } finally {
        if (engineIsAway) await podman.start();
      }
    },
    120_000,
  );

  it("has its pods back when their containers went with it, and they say why", async () => {
    const before = await pods();
    const traffic = load();
    await pause(500);
    await podman.stop();
    await pause(1_500); // an absence that is no news would need no words
    // As when its machine stops: every container at once, their pods' networks too.
    for (const { Id } of await ours()) await api.call("POST", `/containers/${Id}/kill`).catch(() => {});
    await pause(500);
    await podman.start();
    const startedMs = Date.now();
    await expect
      .poll(
        async () =>
          (await pods()).filter(
            (pod) => isReady(pod) && !ids(pod).some((id) => before.flatMap(ids).includes(id)),
          ).length,
        {
          timeout: 60_000,
        },
      )
      .toBe(2);
    const tookMs = Date.now() - startedMs;
    const answered = traffic.codes["200"] ?? 0;
    await expect.poll(() => traffic.codes["200"] ?? 0, { timeout: 20_000 }).toBeGreaterThan(answered + 20);
    await traffic.end();
    console.log(
      `engine stopped with its containers: both pods ready again ${tookMs} ms after its start; requests ${JSON.stringify(traffic.codes)}`,
    );
    const again = await pods();
    expect(again.map(({ metadata }) => metadata.name).sort()).toEqual(
      before.map(({ metadata }) => metadata.name).sort(),
    );
    for (const { status } of again) {
      for (const { lastState } of status?.containerStatuses ?? []) {
        expect(lastState?.terminated).toMatchObject({
          exitCode: 137,
          message: expect.stringContaining("it ended while the container engine was away"),
        });
      }
    }
    // Two pods, each of two containers and the one that holds their network.
    const names = async () => (await ours()).map(({ Names, State }) => `${Names} ${State}`);
    await expect.poll(names, { timeout: 20_000 }).toHaveLength(6);
  }, 120_000);
});
