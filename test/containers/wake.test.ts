/**
 * Pods that wake find a network waiting, which is most of a container's start; and whatever waits goes with Drydock.
 * `DRYDOCK_WAKES=9` measures: waking with and without, in turn.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Pod } from "../../src/domain/apis/core/pod.types.js";
import { goImage } from "./engine.js";
import { type Killable, killableInstance } from "./instance.js";
import { describeWithPodman } from "./podman.js";

const wakes = Number(process.env["DRYDOCK_WAKES"] ?? 1);

describeWithPodman("a pod of one container that wakes", ({ api }) => {
  const instances = new Map<string, Killable>();
  let image: string;

  beforeAll(async () => {
    image = await goImage(api);
    for (const spares of wakes > 1 ? ["2", "0"] : ["2"]) {
      const drydock = await killableInstance({ DRYDOCK_SPARES: spares });
      instances.set(spares, drydock);
      await drydock.up();
      await drydock.apply({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "config-autoscaler", namespace: "knative-serving" },
        data: { "stable-window": "6s", "scale-to-zero-grace-period": "1s" },
      });
      await drydock.apply({
        apiVersion: "serving.knative.dev/v1",
        kind: "Service",
        metadata: { name: "sleeper" },
        spec: { template: { spec: { containers: [{ image }] } } },
      });
      await drydock.kubectl("wait", "ksvc/sleeper", "--for=condition=Ready", "--timeout=60s");
    }
  }, 300_000);
  afterAll(async () => {
    for (const drydock of instances.values()) await drydock.remove();
  });

  const ours = ({ home }: Killable) =>
    api.call<readonly { readonly Id: string; readonly Names: readonly string[] }[]>(
      "GET",
      "/containers/json",
      {
        query: { all: true, filters: JSON.stringify({ label: [`dev.drydock.home=${home}`] }) },
      },
    );
  const holders = async (drydock: Killable) =>
    (await ours(drydock)).filter(({ Names }) => Names.some((name) => name.includes("_POD_")));
  const pods = async (drydock: Killable) =>
    (await drydock.get<{ readonly items: readonly Pod[] }>("pods")).items;

  /** From a request at rest to its whole answer. */
  async function wake(
    drydock: Killable,
  ): Promise<{ readonly tookMs: number; readonly pod: Pod; host: string }> {
    await expect.poll(() => pods(drydock), { timeout: 40_000 }).toEqual([]);
    await pause(2_500); // what is made ahead is made when all is quiet
    const began = performance.now();
    const answer = await fetch(`${drydock.gatewayUrl}/serving/default/sleeper/`);
    const { host } = (await answer.json()) as { readonly host: string };
    const tookMs = performance.now() - began;
    return { tookMs, pod: (await pods(drydock))[0]!, host };
  }

  it("takes a network that waits, and is in it who it is", async () => {
    const drydock = instances.get("2")!;
    await expect.poll(() => holders(drydock), { timeout: 20_000 }).toHaveLength(2);
    const before = await holders(drydock);
    const { pod, host } = await wake(drydock);
    expect(host).toBe(pod.metadata.name);
    const now = await holders(drydock);
    const taken = now.find(({ Names }) => Names.some((name) => name.includes(pod.metadata.name)));
    expect(before.map(({ Id }) => Id)).toContain(taken?.Id);
    // Another waits soon, and the pod's own goes with the pod.
    await expect.poll(() => holders(drydock), { timeout: 10_000 }).toHaveLength(3);
    await drydock.kubectl("delete", "pod", pod.metadata.name);
    await expect.poll(async () => (await holders(drydock)).map(({ Id }) => Id)).not.toContain(taken?.Id);
  }, 120_000);

  it("is taken back with its network by the next life, which ends what only waited", async () => {
    const drydock = instances.get("2")!;
    const { pod } = await wake(drydock);
    await drydock.kubectl("annotate", "pod", pod.metadata.name, "seen=before");
    const mine = (await holders(drydock)).filter(({ Names }) =>
      Names.some((name) => name.includes(pod.metadata.name)),
    );
    await drydock.kill();
    await drydock.up();
    await expect
      .poll(async () => (await holders(drydock)).map(({ Id }) => Id), { timeout: 20_000 })
      .toEqual(mine.map(({ Id }) => Id));
    const [again] = await pods(drydock);
    expect(again).toMatchObject({
      metadata: { annotations: { seen: "before" } },
      status: { containerStatuses: [{ restartCount: 0, ready: true }] },
    });
    expect((await fetch(`${drydock.gatewayUrl}/serving/default/sleeper/`)).status).toBe(200);
    await drydock.down();
    expect(await ours(drydock)).toEqual([]);
    await drydock.up();
  }, 120_000);

  const measure = wakes > 1 ? it : undefined;
  measure?.(
    "is up sooner",
    async () => {
      const took: Record<string, number[]> = { 0: [], 2: [] };
      const phases: Record<string, Record<string, number[]>> = { 0: {}, 2: {} };
      for (let round = 0; round <= wakes; round++) {
        for (const [spares, drydock] of instances) {
          const { tookMs, pod } = await wake(drydock);
          if (round === 0) continue; // the first only makes what is to be taken
          took[spares]!.push(tookMs);
          const told =
            pod.status?.conditions?.find(({ type }) => type === "drydock.dev/Started")?.message ?? "";
          for (const [, name = "", ms] of told.matchAll(/(\w+)=(\d+)/g)) {
            const all = phases[spares]!;
            all[name] = [...(all[name] ?? []), Number(ms)];
          }
        }
      }
      const median = (all: readonly number[]) =>
        [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
      for (const spares of ["0", "2"]) {
        const steps = Object.entries(phases[spares]!).map(([name, all]) => `${name} ${median(all)}`);
        console.log(
          `${spares} spares: ${median(took[spares]!).toFixed(0)} ms of ${took[spares]!.map((ms) => ms.toFixed(0))}; ${steps.join(", ")}`,
        );
      }
      expect(median(took["2"]!)).toBeLessThan(median(took["0"]!));
    },
    1_200_000,
  );
});
