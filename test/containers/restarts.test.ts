/**
 * Drydock is killed, and what it ran goes on or ends without it: the next life tells how each container ended, in the
 * engine's own words, and begins nothing anew before the engine has answered.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Pod } from "../../src/domain/apis/core/pod.types.js";
import { shellImage } from "./engine.js";
import { type Killable, killableInstance } from "./instance.js";
import { describeWithPodman, type PodmanService, podmanService } from "./podman.js";

/** Ends as it is told: well, with code 3, or for want of memory. */
const program =
  "trap 'exit 0' USR1; trap 'echo no more model >/dev/termination-log; exit 3' USR2; " +
  "trap 'exec tail /dev/zero' HUP; echo up; while :; do sleep 0.05; done";

describeWithPodman("a Drydock that was killed", (engine) => {
  const { api } = engine;
  let image: string;
  let podman: PodmanService;
  let drydock: Killable;

  beforeAll(async () => {
    image = await shellImage(api);
    podman = await podmanService(engine);
    drydock = await killableInstance({ DOCKER_HOST: podman.url });
    await drydock.up();
  }, 120_000);
  afterAll(async () => {
    await podman?.start();
    await drydock?.remove();
    await podman?.remove();
  });

  const pod = (name: string) => drydock.get<Pod>("pod", name);
  const status = async (name: string) => (await pod(name)).status?.containerStatuses?.[0];
  const idOf = async (name: string) => (await status(name))?.containerID?.split("//")[1] ?? "";
  const signal = async (name: string, id: string) =>
    api.call("POST", `/containers/${id}/kill`, { query: { signal: name } });
  const ours = async () =>
    (
      await api.call<readonly { readonly Names: readonly string[] }[]>("GET", "/containers/json", {
        query: { all: true, filters: JSON.stringify({ label: [`dev.drydock.home=${drydock.home}`] }) },
      })
    ).flatMap(({ Names }) => Names);

  async function run(name: string, restartPolicy: string): Promise<void> {
    const limits = { memory: "32Mi" };
    await drydock.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: {
        restartPolicy,
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "c", image, command: ["sh", "-c", program], resources: { limits } }],
      },
    });
    await drydock.kubectl("wait", `pod/${name}`, "--for=condition=Ready", "--timeout=30s");
  }

  it("tells of each container that ended meanwhile how and when it did, and does as the pod's policy says", async () => {
    const rows = [
      ["well-never", "Never", "SIGUSR1", { exitCode: 0, reason: "Completed" }],
      ["well-on-failure", "OnFailure", "SIGUSR1", { exitCode: 0, reason: "Completed" }],
      ["badly-never", "Never", "SIGUSR2", { exitCode: 3, reason: "Error", message: "no more model\n" }],
      ["badly-always", "Always", "SIGUSR2", { exitCode: 3, reason: "Error", message: "no more model\n" }],
      ["memory-always", "Always", "SIGHUP", { exitCode: 137, reason: "OOMKilled" }],
    ] as const;
    await Promise.all(rows.map(([name, policy]) => run(name, policy)));
    const ids = new Map(await Promise.all(rows.map(async ([name]) => [name, await idOf(name)] as const)));
    await drydock.kill();
    const beganMs = Date.now();
    await Promise.all(rows.map(([name, , how]) => signal(how, ids.get(name)!)));
    await pause(2_500);
    const upMs = Date.now();
    await drydock.up();
    for (const [name, policy, , end] of rows) {
      const isAgain = policy === "Always";
      const told = async () => {
        const { state, lastState, restartCount } = (await status(name)) ?? {};
        return { terminated: (isAgain ? lastState : state)?.terminated, restartCount };
      };
      await expect
        .poll(told, { timeout: 20_000 })
        .toMatchObject({ terminated: end, restartCount: isAgain ? 1 : 0 });
      const { terminated } = await told();
      const finishedMs = Date.parse(terminated?.finishedAt ?? "");
      expect(finishedMs, name).toBeGreaterThan(beganMs - 1_000);
      expect(finishedMs, name).toBeLessThan(upMs);
      expect(terminated?.containerID, name).toContain(ids.get(name));
      if (isAgain) await drydock.kubectl("wait", `pod/${name}`, "--for=condition=Ready", "--timeout=20s");
    }
    const phases = await Promise.all(rows.map(async ([name]) => (await pod(name)).status?.phase));
    expect(phases).toEqual(["Succeeded", "Succeeded", "Failed", "Running", "Running"]);
    await expect.poll(ours, { timeout: 10_000 }).toHaveLength(2);
    await drydock.kubectl("delete", "pods", "--all", "--wait");
    expect(await ours()).toEqual([]);
  }, 120_000);

  it("waits for an engine that is away, says so, and then takes back what is still there", async () => {
    await drydock.apply({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: "served" },
      spec: {
        template: {
          metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1" } },
          spec: { containers: [{ image, command: ["sh", "-c", "exec httpd -f -p $PORT"] }] },
        },
      },
    });
    await drydock.kubectl("wait", "ksvc/served", "--for=condition=Ready", "--timeout=30s");
    await Promise.all(["stays", "ends", "goes"].map((name) => run(name, "Always")));
    const [stays, ends] = await Promise.all(["stays", "ends"].map(idOf));
    await drydock.kill();
    await podman.stop();
    await signal("SIGUSR2", ends!);
    await drydock.up();
    const isAway = async () => {
      const { status: now } = await pod("stays");
      return now?.conditions?.find(({ type }) => type === "Ready");
    };
    await expect
      .poll(isAway, { timeout: 10_000 })
      .toMatchObject({ status: "False", reason: "EngineAway", message: expect.stringContaining(podman.url) });
    expect(await status("stays")).toMatchObject({ ready: false, state: { running: {} } });
    const service = "-o=jsonpath={.status.conditions[?(@.type=='Ready')]}";
    await expect
      .poll(() => drydock.kubectl("get", "ksvc/served", service), { timeout: 10_000 })
      .toMatch(/no container engine answers at.*"reason":"EngineAway"/);
    expect(await drydock.kubectl("get", "events")).toMatch(/EngineAway.*pod\/stays/);
    await drydock.kubectl("delete", "pod", "goes", "--wait=false");

    await podman.start();
    await drydock.kubectl("wait", "pod/stays", "pod/ends", "--for=condition=Ready", "--timeout=20s");
    expect(await status("stays")).toMatchObject({
      containerID: expect.stringContaining(stays!),
      restartCount: 0,
      lastState: {},
    });
    expect(await status("ends")).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 3, reason: "Error" } },
    });
    await drydock.kubectl("wait", "pod/goes", "--for=delete", "--timeout=20s");
    await drydock.kubectl("wait", "ksvc/served", "--for=condition=Ready", "--timeout=20s");
    await expect.poll(ours, { timeout: 10_000 }).toHaveLength(3);
  }, 90_000);

  it("leaves what it could not end to whoever looks next", async () => {
    await podman.stop();
    await drydock.down();
    expect(await ours()).toHaveLength(3);
    await podman.start();
    await drydock.down();
    expect(await ours()).toEqual([]);
  }, 90_000);
});
