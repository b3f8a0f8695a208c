import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeClock, minutes } from "../../../test/world/clock.js";
import type { Container } from "../../domain/apis/core/container.types.js";
import type { Pod } from "../../domain/apis/core/pod.types.js";
import type { ContainerExit, Images, RunningContainer, Sandbox } from "../../ports/index.js";
import type { KubeletDeps } from "../deps.js";
import { podFolders } from "../folders.js";
import { hostPorts } from "../hostPorts.js";
import { takePodPorts } from "../podPorts.js";
import { startWatch } from "../startTimes.js";
import { type ContainerFacts, unstarted } from "../status/facts.js";
import type { PodWorld } from "../world.js";
import { containerLife, type Role } from "./containerLife.js";

let home: string;
let clock: ReturnType<typeof fakeClock>;
let startedAtMs: number[];
let end: (exitCode: number) => void;
let facts: ContainerFacts;
let events: string[];
let ending: AbortController;
let beginMs: number;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "life-"));
  clock = fakeClock();
  beginMs = clock.now();
  startedAtMs = [];
  facts = unstarted("ContainerCreating");
  events = [];
  ending = new AbortController();
});
afterEach(async () => {
  ending.abort();
  await rm(home, { recursive: true, force: true });
});

/** Waits for files that are really written here; time stands still. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** The same, letting time leap to whatever is waited for. */
async function eventually(isSo: () => boolean): Promise<void> {
  await until(() => {
    const next = isSo() ? undefined : clock.nextAtMs();
    if (next !== undefined) {
      clock.moveTo(next);
      clock.runDue();
    }
    return isSo();
  });
}

async function begin(role: Role = "main", restartPolicy = "Always") {
  const container: Container = { name: "c", image: "img", command: ["run"] };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "n", uid: "u" },
    spec: { containers: [container], restartPolicy },
  } as Pod;
  const sandbox: Pick<Sandbox, "scheme" | "start"> = {
    scheme: "fake",
    async start({ id }) {
      const began = clock.now();
      startedAtMs.push(began - beginMs);
      let finish: (exit: ContainerExit) => void = () => {};
      const exited = new Promise<ContainerExit>((resolve) => {
        finish = resolve;
      });
      end = (exitCode) =>
        finish({
          exitCode,
          signal: undefined,
          oomKilled: false,
          startedAtMs: began,
          finishedAtMs: clock.now(),
        });
      const stop = () => {
        end(143);
        return exited;
      };
      return { id, startedAtMs: began, exited, stop, kill: stop } as unknown as RunningContainer;
    },
  };
  const images: Images = {
    resolve: async (reference) => ({
      outcome: "resolved",
      image: {
        reference,
        digest: "img@sha256:1",
        entrypoint: [],
        defaultArgs: [],
        env: {},
        rewritesPaths: false,
      },
    }),
    ensure: async () => ({ env: {} }),
  };
  const ports = await takePodPorts(
    pod,
    hostPorts(
      () => 0.5,
      async () => true,
    ),
  );
  const world: PodWorld = {
    place: async () => ({ kind: "process", sandbox, images }),
    sandboxKind: Promise.resolve("process"),
    start: startWatch(clock.now),
    deps: {
      clock,
      images,
      sandbox,
      random: () => 0.5,
      log: { info() {}, error() {} },
      recorder: {
        event: (_object: unknown, type: string, reason: string, message: string) =>
          void events.push(`${type} ${reason}: ${message}`),
      },
    } as unknown as KubeletDeps,
    node: { name: "node", cpus: 1, memoryBytes: 1 },
    ref: { namespace: "n", name: "p", uid: "u" },
    folders: podFolders(home, "u"),
    pod: () => pod,
    ports: () => ports,
    volumes: () => new Map(),
    ending: ending.signal,
    facts: () => facts,
    note(_name, change) {
      facts = { ...facts, ...change };
    },
    progressed() {},
    portsChanged() {},
    away() {},
  };
  const outcome = containerLife(container, role, world).run(Promise.resolve());
  await until(() => facts.state.running !== undefined);
  return { outcome };
}

/** Ends the container, as often as asked, and lets time pass until it runs again. */
async function crash(times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    const before = startedAtMs.length;
    end(1);
    await eventually(() => startedAtMs.length > before && facts.state.running !== undefined);
  }
}

describe("restarts", () => {
  it("come at once, then after 10 s, doubling up to five minutes", async () => {
    await begin();
    await crash(8);
    const gaps = startedAtMs.slice(1).map((at, index) => (at - startedAtMs[index]!) / 1000);
    expect(gaps).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  });

  it("start over after ten good minutes", async () => {
    await begin();
    await crash(4);
    clock.moveTo(clock.now() + minutes(11));
    const endedAt = clock.now() - beginMs;
    await crash(1);
    expect(startedAtMs.at(-1)).toBe(endedAt);
  });

  it("are announced: the end first, then the wait", async () => {
    await begin();
    await crash(1);
    end(2);
    await until(() => facts.state.terminated?.exitCode === 2);
    expect(facts.state.terminated).toMatchObject({
      reason: "Error",
      containerID: expect.stringMatching(/^fake:\/\//),
    });
    await eventually(() => facts.state.waiting !== undefined);
    expect(facts.state.waiting).toEqual({
      reason: "CrashLoopBackOff",
      message: "back-off 10s restarting failed container=c pod=p_n(u)",
    });
    expect(facts.lastState?.terminated?.exitCode).toBe(2);
    await eventually(() => facts.state.running !== undefined);
    expect(facts.restartCount).toBe(2);
    expect(events).toContain("Warning BackOff: Back-off restarting failed container c in pod p_n(u)");
  });

  it.each([
    ["main", "Never", 0, "succeeded"],
    ["main", "Never", 1, "failed"],
    ["main", "OnFailure", 0, "succeeded"],
    ["init", "Always", 0, "succeeded"],
    ["init", "Never", 1, "failed"],
  ] as const)(
    "do not happen: %s container under %s with exit code %i has %s",
    async (role, policy, exitCode, result) => {
      const { outcome } = await begin(role, policy);
      end(exitCode);
      expect(await outcome).toBe(result);
    },
  );

  it.each([
    ["main", "OnFailure", 1],
    ["init", "Always", 1],
    ["sidecar", "Never", 0],
  ] as const)("happen: %s container under %s with exit code %i", async (role, policy, exitCode) => {
    await begin(role, policy);
    end(exitCode);
    await until(() => startedAtMs.length === 2);
  });

  it("are over when the pod ends, even while waiting for one", async () => {
    const { outcome } = await begin();
    await crash(1);
    end(1);
    await eventually(() => facts.state.waiting !== undefined);
    ending.abort();
    expect(await outcome).toBe("ended");
  });
});
