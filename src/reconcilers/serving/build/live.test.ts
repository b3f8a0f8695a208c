// Builds with real processes: the reconciler, a kubelet, and the API that serves their logs.
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../../adapters/clock/index.js";
import { processImages, processSandbox } from "../../../adapters/process/index.js";
import { memoryStore } from "../../../adapters/store/index.js";
import { ensurePki } from "../../../adapters/tls/index.js";
import { createRegistry, localClient, startApiServer } from "../../../apiserver/index.js";
import { makeInformers, readYourWrites, startController } from "../../../controller/index.js";
import { Build } from "../../../domain/apis/build/build.types.js";
import { Namespace } from "../../../domain/apis/core/namespace.types.js";
import { allKinds } from "../../../domain/apis/kinds.js";
import { startKubelet } from "../../../kubelet/index.js";
import type { Client, Log } from "../../../ports/index.js";
import { buildReconciler } from "./reconciler.js";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
beforeEach(async () => {
  world = await startWorld();
}, 30_000);
afterEach(() => world.close());

async function startWorld() {
  const home = await mkdtemp(join(tmpdir(), "build-"));
  const clock = systemClock();
  const log: Log = { info() {}, error() {} };
  const registry = await createRegistry({
    store: memoryStore(),
    clock,
    random: systemRandom,
    kinds: allKinds,
    freeze: true,
  });
  const client: Client = localClient(registry, { name: "test", groups: ["system:masters"] });
  await client.create(Namespace, { metadata: { name: "test" } });
  const sandbox = await processSandbox({ runFolder: join(home, "run"), clock });
  const recorder = { event() {} };
  const kubelet = await startKubelet({
    client,
    sandbox,
    images: processImages({
      version: "1.0.0",
      programs: { modelserver: "modelserver.js", storageInitializer: "storage-initializer.js" },
      ensureRuntime: async () => ({ env: {} }),
    }),
    clock,
    random: systemRandom,
    log,
    recorder,
    home,
    version: "1.0.0",
    lameDuckMs: 20,
  });
  const pki = await ensurePki({ folder: join(home, "pki"), hosts: ["127.0.0.1"], clock });
  const server = await startApiServer({
    registry,
    host: "127.0.0.1",
    port: 0,
    tls: { ca: pki.ca, cert: pki.server.cert, key: pki.server.key },
    auth: { token: pki.token, serviceAccountKey: pki.serviceAccountKey },
    podRuntime: kubelet.runtime,
    clock,
    log,
  });
  const informers = makeInformers({ client, clock, log });
  const deps = {
    client: readYourWrites(client, informers, clock),
    listers: informers.listers,
    clock,
    random: systemRandom,
    recorder,
    log,
    settings: () => ({ apiUrl: server.url }),
  };
  const controller = startController(buildReconciler(deps) as never, informers, deps);

  return {
    home,
    async run(spec: object): Promise<Build> {
      await client.create(Build, { metadata: { name: "b", namespace: "test" }, spec } as never);
      const key = { namespace: "test", name: "b" };
      const judged = () =>
        client
          .get(Build, key)
          .then((build) => build?.status?.conditions?.find((one) => one.type === "Succeeded")?.status);
      await expect.poll(judged, { timeout: 20_000, interval: 20 }).toMatch(/True|False/);
      return (await client.get(Build, key)) as Build;
    },
    open: (url: string) =>
      new Promise<string>((resolve, reject) => {
        const headers = { authorization: `Bearer ${pki.token}` };
        request(url, { ca: pki.ca, headers }, (answer) => resolve(text(answer)))
          .on("error", reject)
          .end();
      }),
    async close() {
      await controller.close();
      informers.close();
      await server.close();
      await kubelet.close();
      await sandbox.close();
      await registry.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

const sh = (name: string, script: string) => ({
  name,
  image: "drydock/host",
  command: ["sh", "-c", script],
});

function said(build: Build): string {
  const found = build.status?.conditions?.find((one) => one.type === "Succeeded");
  return [found?.status, found?.reason, found?.message].filter(Boolean).join(" ");
}

describe("a Build of real processes", { timeout: 30_000 }, () => {
  it("runs its steps in one workspace, and its link opens the log", async () => {
    const build = await world.run({
      steps: [sh("one", "echo 42 > answer"), sh("two", 'echo "the answer is $(cat /workspace/answer)"')],
    });
    expect(said(build)).toBe("True");
    expect(build.status?.stepsCompleted).toEqual(["build-step-one", "build-step-two"]);
    expect(await world.open(build.status?.buildLogsLink ?? "")).toBe("the answer is 42\n");
  });

  it("says the last line of the step that failed, and links to the whole of it", async () => {
    const build = await world.run({
      steps: [sh("train", "echo reading; echo 'ValueError: no data' >&2; exit 3"), sh("never", "true")],
    });
    expect(said(build)).toBe(
      "False BuildStepFailed Step train failed with error message: ValueError: no data",
    );
    expect(await world.open(build.status?.buildLogsLink ?? "")).toBe("reading\nValueError: no data\n");
  });

  it("checks a revision of a git repository out", async () => {
    const repository = join(world.home, "repository");
    await mkdir(repository);
    const git = (...words: readonly string[]) =>
      execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e@e", ...words], {
        cwd: repository,
        stdio: "pipe",
      }).toString();
    git("init", "--quiet", "--initial-branch=main");
    await writeFile(join(repository, "file"), "first");
    git("add", ".");
    git("commit", "--quiet", "-m", "first");
    const first = git("rev-parse", "--short", "HEAD").trim();
    await writeFile(join(repository, "file"), "second");
    git("commit", "--quiet", "-am", "second");
    const build = await world.run({
      source: { git: { url: `file://${repository}`, revision: first } },
      steps: [sh("show", "cat file")],
    });
    expect(said(build)).toBe("True");
    expect(await world.open(build.status?.buildLogsLink ?? "")).toBe("first");
    expect(await readFile(join(repository, "file"), "utf8")).toBe("second");
  });

  it("names what git says of a repository that is not there", async () => {
    const build = await world.run({
      source: { git: { url: `file://${world.home}/nowhere` } },
      steps: [sh("show", "true")],
    });
    expect(said(build)).toMatch(
      /^False SourceMissing Step git-source failed with error message: fatal: .*nowhere.* does not/,
    );
  });

  it("says that an image is none this machine can run", async () => {
    const build = await world.run({ steps: [{ ...sh("one", "true"), image: "busybox" }] });
    expect(said(build)).toMatch(
      /^False ContainerMissing Unable to fetch image 'busybox': busybox: not an image/,
    );
  });

  it("is stopped when its time is over, and keeps its log", async () => {
    // Long enough for a step to begin on a busy machine: a Build whose step never began says so in other words.
    const build = await world.run({ steps: [sh("slow", "echo begun; sleep 60")], timeout: "5s" });
    expect(said(build)).toBe("False BuildTimeout Step slow did not finish within 5s, the Build's timeout.");
    expect(await world.open(build.status?.buildLogsLink ?? "")).toBe("begun\n");
  });
});
