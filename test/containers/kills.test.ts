/**
 * Drydock is killed over and over, at moments that dice choose: containers go on serving, the next life takes them back
 * as they are, and nothing is left behind in the engine. A few rounds here; `npm run crash:containers` plays fifty.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Pod } from "../../src/domain/apis/core/pod.types.js";
import { describeWithEngine, goImage } from "./engine.js";
import { type Killable, killableInstance } from "./instance.js";

const kills = Number(process.env["DRYDOCK_KILLS"] ?? 3);
/** Networks that wait for a pod, as many as usual. */
const spares = 2;
const seed = Number(process.env["DRYDOCK_SEED"] ?? 7);

/** Chance that a seed can bring back. */
function diceOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const isSpare = (names: readonly string[]) => names.some((name) => name.includes("_POD_spare_"));

interface Seen {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
}

describeWithEngine("when Drydock is killed again and again", ({ api }) => {
  let image: string;
  let drydock: Killable;
  let volumesBefore: readonly string[];
  const backMs: number[] = [];

  beforeAll(async () => {
    image = await goImage(api);
    volumesBefore = await volumes();
    drydock = await killableInstance({ DRYDOCK_SPARES: String(spares) });
    await drydock.up();
  }, 300_000);
  afterAll(async () => {
    await drydock?.remove();
  });

  async function volumes(): Promise<readonly string[]> {
    const { Volumes: all } = await api.call<{ Volumes: readonly { Name: string }[] | null }>(
      "GET",
      "/volumes",
    );
    return (all ?? []).map(({ Name }) => Name).sort();
  }
  const ours = () =>
    api.call<readonly Seen[]>("GET", "/containers/json", {
      query: { all: true, filters: JSON.stringify({ label: [`dev.drydock.home=${drydock.home}`] }) },
    });
  const pods = async () => (await drydock.get<{ readonly items: readonly Pod[] }>("pods")).items;
  const podOf = async (service: string) =>
    (await pods()).find(({ metadata }) => metadata.labels?.["serving.knative.dev/service"] === service)!;
  const identity = ({ metadata, status }: Pod) =>
    status?.containerStatuses?.map(({ name, containerID, restartCount }) =>
      [metadata.name, name, containerID, restartCount].join(" "),
    );
  const directUrl = ({ metadata }: Pod) => {
    const ports = JSON.parse(metadata.annotations?.["drydock.dev/ports"] ?? "{}") as Record<string, number>;
    return `http://127.0.0.1:${ports["8080"]}/`;
  };
  const status = (url: string) =>
    fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
      (answer) => answer.status,
      (error: Error) => String(error.cause ?? error),
    );

  const service = (name: string, containers: readonly object[], more: object = {}) => ({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name },
    spec: {
      template: {
        metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1", ...more } },
        spec: {
          containers,
          volumes: [{ name: "scratch", emptyDir: {} }],
        },
      },
    },
  });
  const mounts = [{ name: "scratch", mountPath: "/scratch" }];
  const rolling = (round: number) =>
    service("rolls", [{ image, volumeMounts: mounts, env: [{ name: "ROUND", value: String(round) }] }]);

  /** What runs in the engine is what pods say they run, and the networks those share. */
  async function isTidy(): Promise<string> {
    const [seen, all] = [await ours(), await pods()];
    const known = new Set(
      all.flatMap(({ status: now }) =>
        (now?.containerStatuses ?? []).map(({ containerID }) => containerID?.split("//")[1]),
      ),
    );
    const uids = new Set(all.map(({ metadata }) => metadata.uid));
    const networks = new Set(
      seen.filter(({ Id }) => known.has(Id)).map(({ Labels }) => Labels["dev.drydock.network"]),
    );
    const waiting = seen.filter(({ Id, Names }) => isSpare(Names) && !networks.has(Id));
    const strays = seen.filter(({ Id, Names, Labels }) =>
      Labels["io.kubernetes.container.name"] === "POD"
        ? !networks.has(Id) && !isSpare(Names) && !uids.has(Labels["io.kubernetes.pod.uid"])
        : !known.has(Id),
    );
    return [...strays, ...waiting.slice(spares)]
      .map(({ Id, State, Labels }) => `${Labels["io.kubernetes.pod.name"]} ${State} ${Id}`)
      .join("\n");
  }

  it(
    "what serves goes on serving, in the same containers",
    async () => {
      await drydock.apply(service("keeps", [{ image, volumeMounts: mounts }]));
      await drydock.apply(
        service("pair", [
          { name: "front", image, volumeMounts: mounts, ports: [{ containerPort: 8080 }] },
          { name: "helper", image, args: ["helper"], env: [{ name: "LISTEN_ON", value: "9095" }] },
        ]),
      );
      await drydock.kubectl("wait", "ksvc/keeps", "ksvc/pair", "--for=condition=Ready", "--timeout=60s");
      const before = await Promise.all([podOf("keeps"), podOf("pair")]);
      const same = before.map(identity);

      for (let round = 1; round <= kills; round += 1) {
        const dice = diceOf(seed * 1_000_003 + round * 7_919);
        await drydock.apply(rolling(round));
        await pause(dice() * 1_500);
        await drydock.kill();
        if (dice() < 0.3) {
          const young = drydock.up().catch(() => {});
          await pause(dice() * 1_500);
          await drydock.kill().catch(() => {}); // it may not have come so far
          await young;
        }
        for (const pod of before) {
          const url = `${directUrl(pod)}say?words=round-${round}.`;
          expect(await status(url), `round ${round}, without Drydock`).toBe(200);
        }
        const began = performance.now();
        await drydock.up();
        const urls = ["keeps", "pair"].map((name) => `${drydock.gatewayUrl}/serving/default/${name}/`);
        for (const url of urls)
          await expect.poll(() => status(url), { timeout: 30_000, interval: 20 }).toBe(200);
        backMs.push(performance.now() - began);
        expect((await Promise.all([podOf("keeps"), podOf("pair")])).map(identity), `round ${round}`).toEqual(
          same,
        );
      }
      await drydock.kubectl("wait", "ksvc/rolls", "--for=condition=Ready", "--timeout=90s");
      await expect.poll(isTidy, { timeout: 60_000, interval: 200 }).toBe("");
      // What was written while nobody listened is in the log, and once.
      const said = (await drydock.kubectl("logs", before[0]!.metadata.name)).split("\n");
      const rounds = Array.from({ length: kills }, (_one, at) => `round-${at + 1}.`);
      expect(said.filter((line) => line.startsWith("round-"))).toEqual(rounds);

      await drydock.down();
      expect(await ours()).toEqual([]);
      expect(await volumes()).toEqual(volumesBefore);
      expect(await readdir(join(drydock.home, "run")).catch(() => [])).toEqual([]);
      const sorted = [...backMs].sort((a, b) => a - b);
      const told = (ms = 0) => `${(ms / 1000).toFixed(2)} s`;
      console.log(
        `${kills} kills: same containers, 0 orphans, 0 volumes left; from \`drydock up\` to an answer through the gateway: ` +
          `median ${told(sorted[Math.floor(sorted.length / 2)])}, worst ${told(sorted.at(-1))}`,
      );
    },
    120_000 + kills * 30_000,
  );

  it("what ends while nobody looks is told, and started again", async () => {
    await drydock.up();
    await drydock.kubectl("wait", "ksvc/keeps", "--for=condition=Ready", "--timeout=60s");
    const now = async () => (await podOf("keeps")).status?.containerStatuses?.[0];
    // What the API has at first is what an earlier life wrote.
    const runs = async () =>
      (await ours()).some(({ Id, State }) => State === "running" && before?.containerID?.endsWith(Id));
    let before = await now();
    await expect
      .poll(
        async () => {
          before = await now();
          return before?.ready === true && (await runs());
        },
        { timeout: 30_000 },
      )
      .toBe(true);
    const { containerID = "", restartCount = 0 } = before ?? {};
    const [, id] = containerID.split("//");
    await drydock.kill();
    await api.call("POST", `/containers/${id}/kill`);
    await drydock.up();
    await expect.poll(now, { timeout: 30_000 }).toMatchObject({
      ready: true,
      restartCount: restartCount + 1,
      lastState: { terminated: { exitCode: 137, reason: "Error", containerID } },
    });
    expect(await status(`${drydock.gatewayUrl}/serving/default/keeps/`)).toBe(200);
    expect(await isTidy()).toBe("");
  }, 120_000);
});
