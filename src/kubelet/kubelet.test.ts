import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  conditionOf,
  isReady,
  type KubeletWorld,
  kubeletWorld,
  refOf,
  script,
  serverCode,
  shell,
} from "../../test/kubelet/harness.js";
import { PersistentVolumeClaim } from "../domain/apis/core/claim.types.js";
import { ConfigMap, Secret } from "../domain/apis/core/config.types.js";
import type { ContainerStatus } from "../domain/apis/core/container.types.js";
import { Node } from "../domain/apis/core/node.types.js";
import type { Pod } from "../domain/apis/core/pod.types.js";

let world: KubeletWorld;
beforeEach(async () => {
  world = await kubeletWorld();
});
afterEach(async () => {
  await world.close();
  expect(world.errors).toEqual([]);
});

/** The status of a container, the last one unless named; empty while there is none. */
const state = (pod: Pod, name?: string): Partial<ContainerStatus> => {
  const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return (name === undefined ? all.at(-1) : all.find((one) => one.name === name)) ?? {};
};
const isOver = (pod: Pod) => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
const portsOf = (pod: Pod) => JSON.parse(pod.metadata.annotations?.["drydock.dev/ports"] ?? "{}");
const fetchText = async (port: number) => (await fetch(`http://127.0.0.1:${port}/`)).text();
const serving = {
  ports: [{ containerPort: 8080 }],
  readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 0 },
} as const;

/** Runs a pod to its end and gives what its only container printed. */
async function outputOf(pod: Parameters<KubeletWorld["create"]>[0]): Promise<string> {
  await world.create({ restartPolicy: "Never", ...pod });
  return world.logs(await world.until(pod.name, isOver));
}

describe("a pod's life", () => {
  it("goes from created to Ready to gone", async () => {
    await world.create({ name: "cat", containers: [script("kserve-container", serverCode, serving)] });
    const pod = await world.until("cat", isReady);
    expect(pod.spec?.nodeName).toBe("drydock");
    expect(pod.status).toMatchObject({ phase: "Running", podIP: "127.0.0.1", hostIP: "127.0.0.1" });
    const ports = portsOf(pod);
    expect(ports["8012"]).toBe(ports["8080"]);
    expect(await fetchText(ports["8080"])).toMatch(/^hello \d+/);
    expect(world.events).toEqual([
      'Normal Pulled: Container image "drydock/host" already present on machine',
      "Normal Created: Created container: kserve-container",
      "Normal Started: Started container kserve-container",
    ]);
    await world.remove("cat");
    await world.untilGone("cat");
    await expect(fetchText(ports["8080"])).rejects.toThrow();
    expect(world.events.at(-1)).toBe("Normal Killing: Stopping container kserve-container");
  });

  it("registers this machine as a node", async () => {
    const node = await world.client.get(Node, { namespace: "", name: "drydock" });
    expect(node?.status?.conditions?.[0]).toMatchObject({ type: "Ready", status: "True" });
    expect(Number(node?.status?.capacity?.["cpu"])).toBeGreaterThan(0);
  });

  it("leaves pods of other nodes alone", async () => {
    await world.create({ name: "theirs", nodeName: "other", containers: [shell("c", "true")] });
    await world.create({ name: "ours", containers: [shell("c", "sleep 100")] });
    await world.until("ours", isReady);
    expect((await world.get("theirs"))?.status?.containerStatuses).toBeUndefined();
  });

  it("is not Ready before its process hears of the end", async () => {
    const code = 'process.on("SIGTERM",()=>setTimeout(()=>process.exit(0),300));' + serverCode;
    await world.create({ name: "slow", containers: [script("c", code, serving)] });
    const port = portsOf(await world.until("slow", isReady))["8080"];
    await world.remove("slow");
    await world.until("slow", (pod) => !isReady(pod));
    expect(await fetchText(port)).toMatch(/hello/);
    await world.untilGone("slow");
  });

  it("is killed when deletion does not want to wait", async () => {
    const deaf = 'process.on("SIGTERM",()=>{});' + serverCode;
    await world.create({ name: "deaf", containers: [script("c", deaf, serving)] });
    const port = portsOf(await world.until("deaf", isReady))["8080"];
    await world.remove("deaf", 0);
    await world.untilGone("deaf", 2_000);
    await expect.poll(() => fetchText(port).catch(() => "gone")).toBe("gone");
  });

  it("leaves no files behind", async () => {
    await world.create({ name: "tidy", containers: [shell("c", "sleep 100")] });
    const { uid } = refOf(await world.until("tidy", isReady));
    expect(existsSync(join(world.home, "pods", uid))).toBe(true);
    await world.remove("tidy", 0);
    await expect.poll(() => readdir(join(world.home, "pods"))).toEqual([]);
  });
});

describe("init containers", () => {
  const shared = { volumes: [{ name: "shared", emptyDir: {} }] };
  const mounted = { volumeMounts: [{ name: "shared", mountPath: "/mnt/models" }] };

  it("run one after the other, before the others", async () => {
    const pod = {
      name: "ordered",
      ...shared,
      initContainers: [
        shell("first", "echo first > /mnt/models/order", mounted),
        shell("second", "echo second >> /mnt/models/order", mounted),
      ],
      containers: [shell("main", "cat /mnt/models/order", mounted)],
    };
    expect(await outputOf(pod)).toBe("first\nsecond\n");
    const status = (await world.get("ordered"))?.status;
    expect(status?.phase).toBe("Succeeded");
    expect(status?.initContainerStatuses?.map((one) => [one.ready, one.state?.terminated?.reason])).toEqual([
      [true, "Completed"],
      [true, "Completed"],
    ]);
  });

  it("show what failed, and the tail of the log says why", async () => {
    await world.create({
      name: "failing",
      initContainers: [
        shell("storage-initializer", "echo RuntimeError: no model >&2; exit 1", {
          terminationMessagePolicy: "FallbackToLogsOnError",
        }),
      ],
      containers: [shell("main", "sleep 100")],
    });
    const failed = await world.until(
      "failing",
      (one) =>
        state(one, "storage-initializer").restartCount === 1 &&
        state(one, "storage-initializer").state?.terminated !== undefined,
    );
    expect(failed.status?.phase).toBe("Pending");
    expect(conditionOf(failed, "Initialized")).toBe("False");
    expect(state(failed, "storage-initializer").state?.terminated).toMatchObject({
      exitCode: 1,
      reason: "Error",
      message: "RuntimeError: no model\n",
    });
    expect(state(failed, "main").state?.waiting?.reason).toBe("PodInitializing");
    const waiting = await world.until(
      "failing",
      (one) => state(one, "storage-initializer").state?.waiting !== undefined,
    );
    expect(state(waiting, "storage-initializer").state?.waiting).toEqual({
      reason: "CrashLoopBackOff",
      message: `back-off 10s restarting failed container=storage-initializer pod=failing_test(${refOf(waiting).uid})`,
    });
    expect(await world.logs(waiting, "storage-initializer", { previous: true })).toBe(
      "RuntimeError: no model\n",
    );
    await world.remove("failing");
    await world.untilGone("failing", 3_000);
  });

  it("end the pod when it must not restart", async () => {
    await world.create({
      name: "never",
      restartPolicy: "Never",
      initContainers: [shell("init", "exit 4")],
      containers: [shell("main", "true")],
    });
    const pod = await world.until("never", isOver);
    expect(pod.status?.phase).toBe("Failed");
    expect(state(pod, "init").state?.terminated?.exitCode).toBe(4);
  });

  it("may stay, as sidecars that are up before the others start", async () => {
    await world.create({
      name: "sidecar",
      restartPolicy: "Never",
      initContainers: [
        script("proxy", serverCode, {
          restartPolicy: "Always",
          ports: [{ containerPort: 9000 }],
          startupProbe: { tcpSocket: { port: 9000 }, periodSeconds: 1 },
        }),
      ],
      containers: [shell("main", "sleep 0.1")],
    });
    const pod = await world.until("sidecar", isOver);
    expect(pod.status?.phase).toBe("Succeeded");
    expect(state(pod, "proxy").state?.terminated).toBeDefined();
  });
});

describe("environment", () => {
  it("follows references, expands names and knows its port", async () => {
    await world.client.create(ConfigMap, {
      metadata: { name: "cm", namespace: "test" },
      data: { k: "v", e: "from" },
    });
    await world.client.create(Secret, {
      metadata: { name: "sec", namespace: "test" },
      data: { token: Buffer.from("s3cret").toString("base64") },
    });
    const output = await outputOf({
      name: "env",
      labels: { app: "cat" },
      containers: [
        shell(
          "c",
          'echo "$A|$B|$C|$D|$E|$F|$X_e|$G|$H|$I"; [ "$PORT" = "$J" ] && [ "$PORT" -gt 10000 ] && echo "port $1" | sed "s/$PORT/ok/"',
          {
            command: [
              "/bin/sh",
              "-c",
              'echo "$A|$B|$C|$D|$E|$F|$X_e|$G|$H|$I"; [ "$1" = "$PORT" ] && [ "$J" = "$PORT" ] && echo port',
              "sh",
            ],
            args: ["$(PORT)"],
            ports: [{ containerPort: 8080 }],
            resources: { limits: { memory: "64Mi" } },
            envFrom: [
              { prefix: "X_", configMapRef: { name: "cm" } },
              { secretRef: { name: "none", optional: true } },
            ],
            env: [
              { name: "A", value: "plain" },
              { name: "B", value: "$(A)-$$(A)-$(NONE)" },
              { name: "C", valueFrom: { configMapKeyRef: { name: "cm", key: "k" } } },
              { name: "D", valueFrom: { secretKeyRef: { name: "sec", key: "token" } } },
              { name: "E", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
              { name: "F", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
              { name: "G", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
              { name: "H", valueFrom: { configMapKeyRef: { name: "cm", key: "none", optional: true } } },
              { name: "I", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
              { name: "PORT", value: "8080" },
              { name: "J", value: "$(PORT)" },
            ],
          },
        ),
      ],
    });
    expect(output).toBe("plain|plain-$(A)-$(NONE)|v|s3cret|cat|env|from|64||127.0.0.1\nport\n");
  });

  it.each([
    ["a ConfigMap", { configMapKeyRef: { name: "none", key: "k" } }, 'configmap "none" not found'],
    ["a Secret", { secretKeyRef: { name: "none", key: "k" } }, 'secret "none" not found'],
    [
      "a key",
      { configMapKeyRef: { name: "cm", key: "none" } },
      "couldn't find key none in ConfigMap test/cm",
    ],
  ])("names %s that is missing, and goes on when it comes", async (_what, valueFrom, message) => {
    await world.client.create(ConfigMap, { metadata: { name: "cm", namespace: "test" }, data: {} });
    await world.create({
      name: "missing",
      restartPolicy: "Never",
      containers: [shell("c", "true", { env: [{ name: "A", valueFrom }] })],
    });
    const pod = await world.until(
      "missing",
      (one) => state(one).state?.waiting?.reason === "CreateContainerConfigError",
    );
    expect(state(pod).state?.waiting?.message).toBe(message);
    expect(world.events).toContain(`Warning Failed: Error: ${message}`);
    const metadata = { name: "none", namespace: "test" };
    await world.client.create(ConfigMap, { metadata, data: { k: "1" } });
    await world.client.create(Secret, { metadata, data: { k: "MQ==" } });
    await world.client.patch(
      ConfigMap,
      { name: "cm", namespace: "test" },
      { data: { none: "1" } },
      { type: "merge" },
    );
    expect((await world.until("missing", isOver)).status?.phase).toBe("Succeeded");
  });
});

describe("volumes", () => {
  it("hold ConfigMaps, Secrets and what the pod knows of itself", async () => {
    await world.client.create(ConfigMap, {
      metadata: { name: "cm", namespace: "test" },
      data: { a: "A", b: "B" },
    });
    await world.client.create(Secret, { metadata: { name: "s", namespace: "test" }, data: { key: "a2V5" } });
    const output = await outputOf({
      name: "vols",
      labels: { app: "cat" },
      volumes: [
        { name: "cm", configMap: { name: "cm", items: [{ key: "b", path: "deep/b.txt" }] } },
        { name: "sec", secret: { secretName: "s" } },
        {
          name: "all",
          projected: {
            sources: [
              { configMap: { name: "cm" } },
              { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
            ],
          },
        },
      ],
      containers: [
        shell("c", "cat /cm/deep/b.txt /all/a /all/labels; ls -l /sec/key | cut -c1-10; cat /sub", {
          volumeMounts: [
            { name: "cm", mountPath: "/cm" },
            { name: "sec", mountPath: "/sec" },
            { name: "all", mountPath: "/all" },
            { name: "all", mountPath: "/sub", subPath: "b" },
          ],
        }),
      ],
    });
    expect(output).toBe('BAapp="cat"-rw-------\nB');
  });

  it("outlive the pod when they are claimed", async () => {
    await world.client.create(PersistentVolumeClaim, {
      metadata: { name: "disk", namespace: "test" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
    const using = (name: string, code: string) => ({
      name,
      volumes: [{ name: "v", persistentVolumeClaim: { claimName: "disk" } }],
      containers: [shell("c", code, { volumeMounts: [{ name: "v", mountPath: "/data", subPath: "x/y" }] })],
    });
    await outputOf(using("writer", "echo kept > /data/file"));
    expect(await outputOf(using("reader", "cat /data/file"))).toBe("kept\n");
    const claim = await world.client.get(PersistentVolumeClaim, { namespace: "test", name: "disk" });
    expect(claim?.status).toMatchObject({ phase: "Bound", capacity: { storage: "1Gi" } });
  });

  it.each([
    [
      "a claim that is not there",
      { persistentVolumeClaim: { claimName: "no" } },
      'persistentvolumeclaim "no" not found',
    ],
    ["a path of the machine", { hostPath: { path: "/etc" } }, "hostPath volumes are refused"],
    ["a ConfigMap that is not there", { configMap: { name: "no" } }, 'configmap "no" not found'],
  ])("are waited for: %s", async (_what, source, message) => {
    await world.create({
      name: "waits",
      volumes: [{ name: "v", ...source }],
      containers: [shell("c", "true")],
    });
    const pod = await world.until("waits", (one) => state(one).state?.waiting?.message !== undefined);
    expect(state(pod).state?.waiting?.reason).toBe("ContainerCreating");
    expect(state(pod).state?.waiting?.message).toContain(
      `MountVolume.SetUp failed for volume "v" : ${message}`,
    );
    expect(world.events.some((event) => event.startsWith("Warning FailedMount: "))).toBe(true);
    await world.remove("waits");
    await world.untilGone("waits", 3_000);
  });

  it("never lead out by a subPath", async () => {
    await world.create({
      name: "escape",
      restartPolicy: "Never",
      volumes: [{ name: "v", emptyDir: {} }],
      initContainers: [shell("link", "ln -s / /v/root", { volumeMounts: [{ name: "v", mountPath: "/v" }] })],
      containers: [
        shell("c", "true", { volumeMounts: [{ name: "v", mountPath: "/x", subPath: "root/etc" }] }),
      ],
    });
    const pod = await world.until(
      "escape",
      (one) => state(one).state?.waiting?.reason === "CreateContainerConfigError",
    );
    expect(state(pod).state?.waiting?.message).toContain("leads out of the volume");
  });
});

describe("how containers end", () => {
  it("is told: exit code, reason and last words", async () => {
    await world.create({
      name: "words",
      restartPolicy: "Never",
      containers: [shell("c", 'echo "from file" > /dev/termination-log; exit 3')],
    });
    const pod = await world.until("words", isOver);
    expect(pod.status?.phase).toBe("Failed");
    expect(state(pod).state?.terminated).toMatchObject({
      exitCode: 3,
      reason: "Error",
      message: "from file\n",
    });
    expect(pod.status?.conditions?.find((one) => one.type === "Ready")).toMatchObject({
      status: "False",
      reason: "PodFailed",
    });
  });

  it("is told without last words when nobody would ever write them", async () => {
    const code = "rm /dev/termination-log; mkfifo /dev/termination-log; exit 4";
    await world.create({ name: "silent", restartPolicy: "Never", containers: [shell("c", code)] });
    const ended = state(await world.until("silent", isOver)).state?.terminated;
    expect(ended).toMatchObject({ exitCode: 4, reason: "Error" });
    expect(ended?.message).toBeUndefined();
  });

  it("may be a lack of memory", async () => {
    await world.create({
      name: "greedy",
      restartPolicy: "Never",
      containers: [
        script("c", "const a=[];setInterval(()=>a.push(Buffer.alloc(8<<20,1)),10)", {
          resources: { limits: { memory: "150Mi" } },
        }),
      ],
    });
    const pod = await world.until("greedy", isOver);
    expect(state(pod).state?.terminated).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
  });

  it("may be that there was never a beginning", async () => {
    await world.create({
      name: "typo",
      restartPolicy: "Never",
      containers: [{ name: "c", image: "drydock/host", command: ["no-such-program"] }],
    });
    const pod = await world.until("typo", isOver);
    expect(state(pod).state?.terminated).toMatchObject({
      exitCode: 128,
      reason: "StartError",
      message: 'exec: "no-such-program": executable file not found in $PATH',
    });
  });

  it("leads to a restart, first at once and then after a while", async () => {
    await world.create({ name: "crash", containers: [shell("c", "echo boom; exit 1")] });
    const pod = await world.until("crash", (one) => state(one).state?.waiting?.reason === "CrashLoopBackOff");
    expect(state(pod)).toMatchObject({
      restartCount: 1,
      ready: false,
      state: {
        waiting: {
          message: expect.stringMatching(/^back-off 10s restarting failed container=c pod=crash_test\(/),
        },
      },
      lastState: { terminated: { exitCode: 1, reason: "Error" } },
    });
    expect(pod.status?.phase).toBe("Running");
    expect(world.events.at(-1)).toMatch(
      /^Warning BackOff: Back-off restarting failed container c in pod crash_test\(/,
    );
    expect(await world.logs(pod)).toBe("boom\n");
  });

  it("is a matter of time under activeDeadlineSeconds", async () => {
    await world.create({ name: "late", activeDeadlineSeconds: 1, containers: [shell("c", "sleep 100")] });
    const pod = await world.until("late", isOver);
    expect(pod.status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
  });
});

describe("images", () => {
  it("that nobody knows are told with what would help", async () => {
    await world.create({ name: "foreign", containers: [{ name: "c", image: "nginx:1.27" }] });
    const first = await world.until("foreign", (one) => state(one).state?.waiting?.reason === "ErrImagePull");
    expect(state(first).state?.waiting?.message).toContain("need a container engine");
    const later = await world.until(
      "foreign",
      (one) => state(one).state?.waiting?.reason === "ImagePullBackOff",
    );
    expect(state(later).state?.waiting?.message).toMatch(
      /^Back-off pulling image "nginx:1.27": ErrImagePull: nginx:1.27: not an image/,
    );
  });

  it("show their progress while they are made ready", async () => {
    await world.close();
    let finish = () => {};
    world = await kubeletWorld({
      images: {
        programs: { modelserver: "-p", storageInitializer: "" },
        ensureRuntime: (_name, { onProgress }) => {
          onProgress("Installing ONNX Runtime");
          return new Promise((resolve) => {
            finish = () => resolve({ env: { RUNTIME: "there" } });
          });
        },
      },
    });
    const show = { command: ["/bin/sh", "-c", "echo $RUNTIME"] };
    await world.create({
      name: "slow",
      restartPolicy: "Never",
      containers: [{ name: "c", image: "drydock/onnxserver", ...show }],
    });
    const pod = await world.until("slow", (one) => state(one).state?.waiting?.message !== undefined);
    expect(state(pod).state?.waiting).toEqual({
      reason: "ContainerCreating",
      message: "Installing ONNX Runtime",
    });
    finish();
    expect(await world.logs(await world.until("slow", isOver))).toBe("there\n");
    expect(world.events[0]).toBe('Normal Pulling: Pulling image "drydock/onnxserver"');
    expect(world.events[1]).toMatch(
      /^Normal Pulled: Successfully pulled image "drydock\/onnxserver" in [\d.]+s$/,
    );
  });
});

describe("probes", () => {
  const http = (code: string, more: object) =>
    script("c", code, { ports: [{ name: "web", containerPort: 8080 }], ...more });

  it("by HTTP hold readiness until the answer is good", async () => {
    const code =
      'const t=Date.now();require("http").createServer((q,r)=>{r.statusCode=Date.now()-t<400?503:200;r.end(q.headers["user-agent"])}).listen(process.env.PORT)';
    const probe = { httpGet: { path: "/ready", port: "web" }, periodSeconds: 10 };
    await world.create({ name: "http", containers: [http(code, { readinessProbe: probe })] });
    const t0 = Date.now();
    await world.until("http", isReady);
    expect(Date.now() - t0).toBeLessThan(5_000);
  });

  it("by command", async () => {
    const probe = { exec: { command: ["test", "-e", "/flags/up"] }, periodSeconds: 1 };
    await world.create({
      name: "exec",
      volumes: [{ name: "flags", emptyDir: {} }],
      containers: [
        shell("c", "sleep 0.5; touch /flags/up; sleep 100", {
          readinessProbe: probe,
          volumeMounts: [{ name: "flags", mountPath: "/flags" }],
        }),
      ],
    });
    await world.until("exec", isReady);
  });

  it("of life restart what is dead", async () => {
    const code =
      'let n=0;require("http").createServer((q,r)=>{r.statusCode=++n>1?500:200;r.end()}).listen(process.env.PORT)';
    const livenessProbe = { httpGet: { path: "/", port: 8080 }, periodSeconds: 1, failureThreshold: 1 };
    await world.create({ name: "dying", containers: [http(code, { livenessProbe })] });
    const pod = await world.until(
      "dying",
      (one) => state(one).restartCount === 1 && state(one).state?.running !== undefined,
    );
    expect(state(pod).lastState?.terminated?.exitCode).toBe(143);
    expect(world.events).toContain(
      "Warning Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500",
    );
    expect(world.events).toContain("Normal Killing: Container c failed liveness probe, will be restarted");
  });

  it("of start-up come before the others", async () => {
    const startupProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 1 };
    await world.create({
      name: "never",
      containers: [shell("c", "sleep 100", { ports: [{ containerPort: 8080 }], startupProbe })],
    });
    const pod = await world.until("never", (one) => state(one).restartCount === 1);
    expect(isReady(pod)).toBe(false);
    expect(world.events).toContain("Normal Killing: Container c failed startup probe, will be restarted");
    expect(
      world.events.some((event) =>
        /Startup probe failed: dial tcp 127.0.0.1:\d+: connect: connection refused/.test(event),
      ),
    ).toBe(true);
  });
});

describe("what the API asks of the node", () => {
  it("follows a log until the container ends", async () => {
    await world.create({
      name: "talk",
      restartPolicy: "Never",
      containers: [shell("c", "echo one; sleep 0.3; echo two >&2")],
    });
    const pod = await world.until("talk", (one) => state(one).state?.running !== undefined || isOver(one));
    expect(await world.logs(pod, "c", { follow: true })).toBe("one\ntwo\n");
    expect(await world.logs(pod, "c", { tailLines: 1 })).toBe("two\n");
    expect(await world.logs(pod, "c", { timestamps: true })).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z one\n/);
    await expect(world.logs(pod, "c", { previous: true })).rejects.toThrow(
      'previous terminated container "c" in pod "talk" not found',
    );
  });

  it("runs a command beside a container", async () => {
    await world.create({
      name: "host",
      containers: [shell("c", "sleep 100", { env: [{ name: "A", value: "1" }] })],
    });
    const pod = await world.until("host", isReady);
    const { runtime } = world.kubelet();
    const session = await runtime.exec(refOf(pod), {
      container: "c",
      command: ["sh", "-c", "echo $A; exit 3"],
      stdin: false,
      tty: false,
    });
    session.stdout.resume();
    expect(await session.exited).toBe(3);
    await expect(
      runtime.exec(refOf(pod), { container: "zz", command: ["true"], stdin: false, tty: false }),
    ).rejects.toThrow("container zz is not valid for pod host");
  });

  it("connects to a port as the pod knows it", async () => {
    await world.create({ name: "dial", containers: [script("c", serverCode, serving)] });
    const pod = await world.until("dial", isReady);
    const stream = await world.kubelet().runtime.dial(refOf(pod), 8080);
    stream.write("GET / HTTP/1.0\r\n\r\n");
    const answer = await new Promise<string>((resolve) =>
      stream.once("data", (chunk: Buffer) => resolve(chunk.toString())),
    );
    expect(answer).toContain("200 OK");
    stream.destroy();
    await expect(world.kubelet().runtime.dial(refOf(pod), 22)).rejects.toThrow(
      "has no port 22; its ports are 8012, 8013, 8080",
    );
  });

  it("says what containers use", async () => {
    await world.create({
      name: "busy",
      containers: [script("c", "setInterval(()=>{const t=Date.now();while(Date.now()-t<50);},100)")],
    });
    await world.until("busy", isReady);
    await expect
      .poll(() => world.kubelet().runtime.usage()[0]?.containers[0]?.cpuNanoCores ?? 0, { timeout: 8_000 })
      .toBeGreaterThan(1e7);
    expect(world.kubelet().runtime.usage()[0]?.containers[0]?.memoryBytes).toBeGreaterThan(1e6);
  });
});

describe("many pods", () => {
  it("never share a port", async () => {
    const names = Array.from({ length: 50 }, (_one, at) => `p${at}`);
    await Promise.all(
      names.map((name) =>
        world.create({
          name,
          containers: [
            shell("c", "sleep 100", { ports: [{ containerPort: 8080 }, { containerPort: 9090 }] }),
          ],
        }),
      ),
    );
    const pods = await Promise.all(names.map((name) => world.until(name, isReady, 30_000)));
    const ports = pods.flatMap((pod) => [portsOf(pod)["8080"], portsOf(pod)["9090"]]);
    expect(new Set(ports).size).toBe(100);
  });
});

describe("a restart of Drydock", () => {
  it("runs its pods again, without doing the init containers' work twice", async () => {
    await world.create({
      name: "again",
      volumes: [{ name: "v", emptyDir: {} }],
      initContainers: [
        shell("init", "echo run >> /v/runs", { volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      ],
      containers: [shell("c", "cat /v/runs; sleep 100", { volumeMounts: [{ name: "v", mountPath: "/v" }] })],
    });
    await world.until("again", isReady);
    await world.restart();
    const pod = await world.until("again", (one) => isReady(one) && state(one).restartCount === 1);
    expect(state(pod).lastState?.terminated).toMatchObject({
      message: expect.stringContaining("Drydock was restarted"),
    });
    await expect.poll(() => world.logs(pod)).toBe("run\n");
  });

  it("does not run again what has ended, and still has its log", async () => {
    await world.create({
      name: "done",
      restartPolicy: "Never",
      containers: [shell("c", "echo once; exit 2")],
    });
    const before = await world.until("done", isOver);
    await world.restart();
    await world.create({ name: "next", containers: [shell("c", "sleep 100")] });
    await world.until("next", isReady);
    expect((await world.get("done"))?.status).toEqual(before.status);
    expect(await world.logs(before)).toBe("once\n");
    await world.remove("done");
    await world.untilGone("done");
  });

  it("finishes the deletion of pods that were going", async () => {
    await world.create({ name: "going", containers: [shell("c", "sleep 100")] });
    await world.until("going", isReady);
    await world.kubelet().close();
    await world.remove("going");
    await world.restart();
    await world.untilGone("going");
  });
});
