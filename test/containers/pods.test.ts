// Pods as containers of a real engine: what they get, how they end, and what their status says of it.
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/clock/index.js";
import { containerEngine } from "../../src/adapters/engine/index.js";
import { ConfigMap, Secret } from "../../src/domain/apis/core/config.types.js";
import type { Container, ContainerStatus } from "../../src/domain/apis/core/container.types.js";
import type { Pod } from "../../src/domain/apis/core/pod.types.js";
import type { Engine } from "../../src/ports/index.js";
import { isReady, type KubeletWorld, kubeletWorld, refOf } from "../kubelet/harness.js";
import { buildImage, describeWithEngine, goImage, shellImage } from "./engine.js";

describeWithEngine("a pod of containers", ({ api }) => {
  let world: KubeletWorld;
  const made: Pod[] = [];
  let engine: Engine;
  let home: string;
  let shellTag: string;
  let goTag: string;

  beforeAll(async () => {
    [shellTag, goTag] = await Promise.all([shellImage(api), goImage(api)]);
  }, 300_000);
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "pods-"));
    engine = containerEngine({ home, clock: systemClock(), log: { info() {}, error() {} } });
    const fresh = await kubeletWorld({ kubelet: { engine } });
    world = {
      ...fresh,
      async create(wish) {
        const pod = await fresh.create(wish);
        made.push(pod);
        return pod;
      },
    };
  });
  afterEach(async () => {
    await world.close();
    await engine.close();
    await rm(home, { recursive: true, force: true });
    const uids = made.splice(0).map(({ metadata }) => `drydock-${metadata.uid}`);
    expect((await readdir("/dev/shm")).filter((name) => uids.includes(name))).toEqual([]);
  });
  afterAll(async () => {
    const left = await api.call<readonly { Names: readonly string[]; Labels: Record<string, string> }[]>(
      "GET",
      "/containers/json",
      { query: { all: true, filters: JSON.stringify({ label: ["dev.drydock.owner"] }) } },
    );
    const mine = left.filter(
      ({ Labels }) => Labels["dev.drydock.owner"]?.split(" ")[2] === String(process.pid),
    );
    expect(mine.flatMap(({ Names }) => Names)).toEqual([]);
  });

  const shell = (name: string, code: string, more: Partial<Container> = {}): Container => ({
    name,
    image: shellTag,
    command: ["/bin/sh", "-c", code],
    ...more,
  });
  const server = (name: string, more: Partial<Container> = {}): Container => ({
    name,
    image: goTag,
    ...more,
  });
  const ready = (name: string) => world.until(name, isReady, 30_000);

  async function ask(pod: Pod, path = "/", port = 8080): Promise<Response> {
    const ports = JSON.parse(pod.metadata.annotations?.["drydock.dev/ports"] ?? "{}") as Record<
      string,
      number
    >;
    return fetch(`http://127.0.0.1:${ports[port]}${path}`);
  }
  const status = (pod: Pod, at = 0): Partial<ContainerStatus> => pod.status?.containerStatuses?.[at] ?? {};
  const ended = (pod: Pod) => status(pod).state?.terminated ?? status(pod).lastState?.terminated;

  it("serves on the port it declares, with the words, environment and folder it is given", async () => {
    await world.create({
      name: "given",
      containers: [
        server("c", {
          args: ["one", "$(A) two"],
          env: [
            { name: "A", value: "1" },
            { name: "PORT", value: "9000" },
          ],
          ports: [{ containerPort: 9000 }],
          workingDir: "/proc",
          readinessProbe: { httpGet: { port: 9000 } },
        }),
      ],
    });
    const pod = await ready("given");
    expect(await (await ask(pod, "/", 9000)).json()).toMatchObject({
      args: ["one", "1 two"],
      env: { A: "1", PORT: "9000", FROM_IMAGE: "yes", HOSTNAME: "given" },
      host: "given",
      folder: "/proc",
      pid: 1,
    });
    expect(status(pod).imageID).toMatch(/^drydock\.test\/go@sha256:/);
    expect(status(pod).containerID).toMatch(/^(podman|docker):\/\/[0-9a-f]{64}$/);
    expect(await world.logs(pod)).toContain("input was 0 bytes\n");
  });

  it("runs as whom it is told, with a root it cannot write, but for /tmp and its volumes", async () => {
    await world.create({
      name: "walls",
      securityContext: { runAsUser: 65_532, runAsNonRoot: true, fsGroup: 2_000 },
      volumes: [
        { name: "scratch", emptyDir: {} },
        { name: "fast", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      ],
      containers: [
        server("c", {
          securityContext: {
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
            allowPrivilegeEscalation: false,
          },
          volumeMounts: [
            { name: "scratch", mountPath: "/scratch" },
            { name: "fast", mountPath: "/fast" },
          ],
          readinessProbe: { tcpSocket: { port: 8080 } },
        }),
      ],
    });
    const pod = await ready("walls");
    expect(await (await ask(pod)).json()).toMatchObject({
      uid: 65_532,
      groups: expect.arrayContaining([2_000]),
    });
    expect(await (await ask(pod, "/write?path=/file")).text()).toContain("read-only file system");
    for (const path of ["/tmp/file", "/scratch/file", "/fast/file"]) {
      expect((await ask(pod, `/write?path=${path}`)).status).toBe(200);
    }
    const mounts = await (await ask(pod, "/file?path=/proc/self/mounts")).text();
    expect(mounts).toMatch(/^tmpfs \/fast tmpfs .*size=1024k/m);
    const self = await (await ask(pod, "/file?path=/proc/self/status")).text();
    expect(self).toMatch(/CapEff:\t0000000000000000\n/);
    expect(self).toMatch(/NoNewPrivs:\t1\n/);
  });

  it("is prepared by init containers that are processes", async () => {
    const write = "require('fs').writeFileSync(process.argv[1] + '/model', 'iris')";
    await world.create({
      name: "mixed",
      volumes: [{ name: "models", emptyDir: {} }],
      initContainers: [
        {
          name: "fetch",
          image: "drydock/host",
          command: [process.execPath, "-e", write, "/mnt/models"],
          volumeMounts: [{ name: "models", mountPath: "/mnt/models" }],
        },
      ],
      containers: [
        server("c", {
          volumeMounts: [{ name: "models", mountPath: "/mnt/models", readOnly: true }],
          readinessProbe: { httpGet: { port: 8080 } },
        }),
      ],
    });
    const pod = await ready("mixed");
    expect(await (await ask(pod, "/file?path=/mnt/models/model")).text()).toBe("iris");
    expect(pod.status?.initContainerStatuses?.[0]?.containerID).toMatch(/^process:/);
  });

  it("cannot mix servers that are processes with servers that are containers", async () => {
    await world.create({
      name: "both",
      containers: [server("c"), { name: "p", image: "drydock/host", command: ["sleep", "300"] }],
    });
    const pod = await world.until(
      "both",
      (one) => status(one, 1).state?.waiting?.message !== undefined,
      20_000,
    );
    expect(status(pod, 1).state?.waiting?.message).toContain("containers of one pod share a network");
  });

  it("is refused when it would be root and must not be", async () => {
    await world.create({ name: "root", securityContext: { runAsNonRoot: true }, containers: [server("c")] });
    const pod = await world.until("root", (one) => status(one).state?.waiting?.message !== undefined);
    expect(status(pod).state?.waiting).toMatchObject({
      reason: "CreateContainerConfigError",
      message: expect.stringMatching(
        /^container has runAsNonRoot and image will run as root \(pod: "root_test/,
      ),
    });
  });

  it("shares a network, keeps it over restarts, and its volumes with it", async () => {
    await world.create({
      name: "several",
      volumes: [
        { name: "shared", emptyDir: {} },
        { name: "memory", emptyDir: { medium: "Memory" } },
      ],
      initContainers: [
        shell("before", "echo prepared > /shared/note; echo fast > /memory/note", {
          volumeMounts: [
            { name: "shared", mountPath: "/shared" },
            { name: "memory", mountPath: "/memory" },
          ],
        }),
      ],
      containers: [
        server("front", {
          ports: [{ containerPort: 8080 }],
          volumeMounts: [
            { name: "shared", mountPath: "/shared" },
            { name: "memory", mountPath: "/memory" },
          ],
          readinessProbe: { httpGet: { path: "/beside?port=9090", port: 8080 } },
        }),
        server("beside", { args: ["beside"], env: [{ name: "LISTEN_ON", value: "9090" }] }),
      ],
    });
    const first = await ready("several");
    expect(await (await ask(first, "/beside?port=9090")).json()).toMatchObject({
      args: ["beside"],
      host: "several",
    });
    expect(await (await ask(first, "/file?path=/shared/note")).text()).toBe("prepared\n");
    expect(await (await ask(first, "/file?path=/memory/note")).text()).toBe("fast\n");

    await api.call("POST", `/containers/${status(first, 1).containerID?.split("//")[1]}/kill`);
    await world.until("several", (one) => status(one, 1).restartCount === 1 && isReady(one), 30_000);
    await expect.poll(async () => (await ask(first, "/beside?port=9090")).status).toBe(200);
    await api.call("POST", `/containers/${status(first).containerID?.split("//")[1]}/kill`);
    const again = await world.until(
      "several",
      (one) => status(one).restartCount === 1 && isReady(one),
      30_000,
    );
    expect(await (await ask(again, "/beside?port=9090")).json()).toMatchObject({ args: ["beside"] });
    await world.remove("several");
    await world.untilGone("several", 30_000);
    const uid = first.metadata.uid ?? "";
    await expect
      .poll(async () => (await readdir("/dev/shm")).filter((name) => name.includes(uid)))
      .toEqual([]);
  });

  it("sees ConfigMaps, Secrets and fields of its own as files, whoever it runs as", async () => {
    await world.client.create(ConfigMap, {
      metadata: { name: "config", namespace: "test" },
      data: { key: "plain" },
    });
    await world.client.create(Secret, {
      metadata: { name: "secret", namespace: "test" },
      data: { key: Buffer.from("hidden").toString("base64") },
    });
    await world.create({
      name: "files",
      securityContext: { runAsUser: 1_000 },
      volumes: [
        { name: "config", configMap: { name: "config" } },
        { name: "secret", secret: { secretName: "secret" } },
        {
          name: "all",
          projected: {
            sources: [
              { secret: { name: "secret", items: [{ key: "key", path: "a/b" }] } },
              { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
            ],
          },
        },
      ],
      containers: [
        server("c", {
          volumeMounts: [
            { name: "config", mountPath: "/config", readOnly: true },
            { name: "secret", mountPath: "/secret", readOnly: true },
            { name: "all", mountPath: "/all", readOnly: true },
          ],
          readinessProbe: { httpGet: { port: 8080 } },
        }),
      ],
    });
    const pod = await ready("files");
    const read = async (path: string) => (await ask(pod, `/file?path=${path}`)).text();
    expect(await read("/config/key")).toBe("plain");
    expect(await read("/secret/key")).toBe("hidden");
    expect(await read("/all/a/b")).toBe("hidden");
    expect(await read("/all/name")).toBe("files");
    expect((await ask(pod, "/write?path=/config/key")).status).toBe(403);
  });

  it("is not ready while a port is published and nobody listens on it", async () => {
    await world.create({
      name: "deaf",
      containers: [
        shell("c", "sleep 300", { readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } }),
      ],
    });
    await world.until("deaf", (one) => status(one).state?.running !== undefined, 30_000);
    await expect.poll(() => world.events.join("\n"), { timeout: 10_000 }).toContain("connection refused");
    expect(isReady((await world.get("deaf"))!)).toBe(false);
    await world.remove("deaf", 0);
  });

  it("is probed by command, and answers commands", async () => {
    await world.create({
      name: "asked",
      containers: [
        shell("c", "touch /up; exec sleep 300", { readinessProbe: { exec: { command: ["cat", "/up"] } } }),
      ],
    });
    const pod = await ready("asked");
    const session = await world.kubelet().runtime.exec(refOf(pod), {
      container: "c",
      command: ["sh", "-c", "tty; exit 3"],
      stdin: false,
      tty: true,
    });
    expect(await text(session.stdout)).toMatch(/^\/dev\/pts\/\d+\r\n$/);
    expect(await session.exited).toBe(3);
    await world.remove("asked", 0);
  });

  it("keeps its limits, and says when one ended it", async () => {
    await world.create({
      name: "limited",
      containers: [server("c", { args: ["eat"], resources: { limits: { memory: "64Mi", cpu: "500m" } } })],
    });
    const pod = await world.until("limited", (one) => ended(one) !== undefined, 30_000);
    expect(ended(pod)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
  });

  it.each([
    [
      "an image that is nowhere",
      { image: "127.0.0.1:1/no/image:1" },
      "ErrImagePull",
      /127\.0\.0\.1:1\/no\/image/,
    ],
    [
      "one that must not be fetched",
      { image: "127.0.0.1:1/no/image:1", imagePullPolicy: "Never" },
      "ErrImageNeverPull",
      /is not present with pull policy of Never/,
    ],
  ])("says at once that it waits for %s", async (_name, more, reason, message) => {
    await world.create({ name: "missing", containers: [{ name: "c", ...more }] });
    const pod = await world.until("missing", (one) => status(one).state?.waiting?.reason === reason, 10_000);
    expect(status(pod).state?.waiting?.message).toMatch(message);
  });

  it("says in the engine's words why it cannot start, and backs off", async () => {
    await world.create({ name: "wrong", containers: [server("c", { command: ["serve-it"] })] });
    const pod = await world.until(
      "wrong",
      (one) => status(one).state?.waiting?.reason === "CrashLoopBackOff",
      20_000,
    );
    expect(status(pod).lastState?.terminated).toMatchObject({
      exitCode: 128,
      reason: "StartError",
      message: expect.stringContaining('exec: "serve-it": executable file not found in $PATH'),
    });
  });

  it("says its last words: the file it wrote, or the end of its log", async () => {
    await world.create({
      name: "words",
      restartPolicy: "Never",
      containers: [
        shell("file", "echo from the file > /dev/termination-log; exit 4"),
        server("log", { args: ["exit"], terminationMessagePolicy: "FallbackToLogsOnError" }),
      ],
    });
    const pod = await world.until("words", (one) => one.status?.phase === "Failed", 20_000);
    expect(status(pod, 0).state?.terminated).toMatchObject({ exitCode: 4, message: "from the file\n" });
    expect(status(pod, 1).state?.terminated).toMatchObject({
      exitCode: 127,
      reason: "Error",
      message: expect.stringContaining("no model, no server\n"),
    });
  });

  it("stops at an init container that fails", async () => {
    await world.create({
      name: "init",
      restartPolicy: "Never",
      initContainers: [shell("prepare", "echo nothing to prepare >&2; exit 2")],
      containers: [server("c")],
    });
    const pod = await world.until("init", (one) => one.status?.phase === "Failed", 20_000);
    expect(pod.status?.initContainerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 2,
      reason: "Error",
    });
    expect(await world.logs(pod, "prepare")).toBe("nothing to prepare\n");
  });

  it("of another machine's kind is told so", async () => {
    const foreign = readFileSync("/bin/busybox");
    foreign.writeUInt16LE(183, 18); // as if built for arm64
    await buildImage(
      api,
      "drydock.test/foreign:1",
      [{ path: "/server", content: foreign, mode: 0o755 }],
      ['ENTRYPOINT ["/server"]'],
      "linux/arm64",
    );
    await world.create({
      name: "foreign",
      restartPolicy: "Never",
      containers: [
        { name: "c", image: "drydock.test/foreign:1", terminationMessagePolicy: "FallbackToLogsOnError" },
      ],
    });
    const pod = await world.until("foreign", (one) => ended(one) !== undefined, 20_000);
    expect(ended(pod)?.message).toMatch(
      /exec format error.*\nthe image is built for arm64, and this engine runs on amd64/s,
    );
  });

  it("is asked to end, and ends", async () => {
    await world.create({
      name: "asked",
      containers: [server("c", { readinessProbe: { tcpSocket: { port: 8080 } } })],
    });
    const pod = await ready("asked");
    let log = "";
    const following = (async () => {
      const wish = { container: "c", follow: true, previous: false, timestamps: false };
      for await (const chunk of await world
        .kubelet()
        .runtime.logs(refOf(pod), wish, AbortSignal.timeout(30_000)))
        log += Buffer.from(chunk).toString();
    })();
    await world.remove("asked");
    await world.untilGone("asked");
    await following;
    expect(log).toContain("asked to end\n");
  });

  it("may be forced into containers, or into processes", async () => {
    const annotations = { "drydock.dev/sandbox": "process" };
    await world.create({ name: "forced", annotations, containers: [server("c")] });
    const pod = await world.until("forced", (one) => status(one).state?.waiting?.reason === "ErrImagePull");
    expect(status(pod).state?.waiting?.message).toContain("not an image that runs as a process");
  });
});
