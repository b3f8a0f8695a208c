import { describe, expect, it } from "vitest";
import { existing, minutes, ownedChild, reconcilerTable, startWorld } from "../../../../test/world/index.js";
import { Build } from "../../../domain/apis/build/build.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { makeBuild, makePod } from "./make.js";
import { buildReconciler } from "./reconciler.js";

const step = (name: string, image = "drydock/host") => ({ name, image, command: ["sh", "-c", "true"] });
const wish = {
  metadata: { name: "b", namespace: "default", uid: "abcdefgh" },
  spec: {
    source: { git: { url: "https://example.com/model.git", revision: "main" } },
    steps: [step("fetch"), step("train")],
    timeout: "10m",
  },
};
const build = existing(Build, wish as never);
const name = "b-pod-abcdef";

/** The Build's pod with what each of its init containers is doing. */
function pod(states: readonly object[], status: object = {}, spec: object = {}): Pod {
  const made = existing(Pod, makePod(build, minutes(10)));
  const names = (made.spec?.initContainers ?? []).map((one) => one.name);
  const initContainerStatuses = states.map((state, at) => ({
    name: names[at] ?? "",
    image: "drydock/host",
    imageID: "",
    ready: false,
    restartCount: 0,
    state,
  }));
  return ownedChild(build, {
    ...made,
    spec: { ...made.spec, containers: made.spec?.containers ?? [], nodeName: "n", ...spec },
    status: { phase: "Pending", initContainerStatuses, ...status },
  });
}
const begun = existing(Build, {
  ...wish,
  status: { startTime: build.metadata.creationTimestamp, cluster: { namespace: "default", podName: name } },
} as never);
const ended = (exitCode: number, message = "") => ({
  terminated: { exitCode, containerID: "process://1", ...(message && { message }) },
});
const waits = (reason: string, message = "") => ({ waiting: { reason, message } });
const link = (step: string) =>
  `https://127.0.0.1:6443/api/v1/namespaces/default/pods/${name}/log?container=build-step-${step}&tailLines=1000`;

describe("a Build", () => {
  reconcilerTable(
    (deps) => buildReconciler({ ...deps, settings: () => ({ apiUrl: "https://127.0.0.1:6443" }) }),
    [
      {
        name: "makes one pod whose init containers are its steps, over one workspace",
        given: [build],
        key: "default/b",
        looks: 2,
        wantStatus: {
          Succeeded: "Unknown Building",
          startTime: build.metadata.creationTimestamp,
          cluster: { namespace: "default", podName: name },
        },
        wantRequeueMs: minutes(10),
        wantObjects: [
          {
            kind: "Pod",
            metadata: { name, labels: { "build.knative.dev/buildName": "b" } },
            spec: {
              restartPolicy: "Never",
              activeDeadlineSeconds: 600,
              initContainers: [
                { name: "build-step-git-source" },
                {
                  name: "build-step-fetch",
                  workingDir: "/workspace",
                  terminationMessagePolicy: "FallbackToLogsOnError",
                  volumeMounts: [{ name: "workspace", mountPath: "/workspace" }],
                },
                { name: "build-step-train" },
              ],
              containers: [{ name: "nop" }],
            },
          },
        ],
      },
      {
        name: "says which step runs, and where its log is",
        given: [begun, pod([ended(0), { running: {} }, waits("PodInitializing")])],
        key: "default/b",
        wantStatus: {
          Succeeded: "Unknown Building: Step fetch is running.",
          stepsCompleted: ["build-step-git-source"],
          buildLogsLink: link("fetch"),
        },
      },
      {
        name: "succeeds when its last step has",
        given: [begun, pod([ended(0), ended(0), ended(0)], { phase: "Succeeded" })],
        key: "default/b",
        wantStatus: {
          Succeeded: "True",
          stepsCompleted: ["build-step-git-source", "build-step-fetch", "build-step-train"],
          completionTime: build.metadata.creationTimestamp,
          buildLogsLink: link("train"),
        },
        wantEvents: ["Build/b Normal Succeeded"],
      },
      {
        name: "fails with the last line of the step that failed",
        given: [
          begun,
          pod([ended(0), ended(1, "epoch 1\nValueError: no data\n"), waits("PodInitializing")], {
            phase: "Failed",
          }),
        ],
        key: "default/b",
        wantStatus: {
          Succeeded: "False BuildStepFailed: Step fetch failed with error message: ValueError: no data",
          Failed: "True BuildStepFailed: Step fetch failed with error message: ValueError: no data",
          buildLogsLink: link("fetch"),
        },
      },
      {
        name: "a source that cannot be had is SourceMissing",
        given: [begun, pod([ended(1, "fatal: repository not found")], { phase: "Failed" })],
        key: "default/b",
        wantStatus: {
          Failed:
            "True SourceMissing: Step git-source failed with error message: fatal: repository not found",
        },
      },
      {
        name: "an image that is none here is ContainerMissing, and may still come",
        given: [begun, pod([ended(0), waits("ErrImagePull", "drydock/host: not found")])],
        key: "default/b",
        wantStatus: {
          Succeeded: "False ContainerMissing: Unable to fetch image 'drydock/host': drydock/host: not found",
          completionTime: undefined,
        },
        wantRequeueMs: minutes(10),
      },
      {
        name: "ContainerMissing stays the cause when time runs out",
        given: [begun, pod([waits("ImagePullBackOff", "not found")])],
        key: "default/b",
        after: minutes(10),
        wantStatus: { Failed: "True ContainerMissing: Unable to fetch image 'drydock/host': not found" },
      },
      {
        name: "runs out of time",
        given: [begun, pod([ended(0), ended(0), { running: {} }])],
        key: "default/b",
        after: minutes(10),
        wantStatus: {
          Succeeded: "False BuildTimeout: Step train did not finish within 10m0s, the Build's timeout.",
          Failed: "True BuildTimeout: Step train did not finish within 10m0s, the Build's timeout.",
        },
      },
      {
        name: "a pod that outlives its deadline by a minute is taken away",
        given: [
          existing(Build, {
            ...wish,
            status: { ...begun.status, completionTime: build.metadata.creationTimestamp },
          } as never),
          pod([{ running: {} }], {}, { nodeName: "" }),
        ],
        key: "default/b",
        after: minutes(11),
        looks: 2,
        wantGone: [`Pod/${name}`],
      },
      {
        name: "the node's stop at the deadline is not taken for a step's own failure",
        given: [
          begun,
          pod([ended(0), ended(143)], { phase: "Failed", reason: "DeadlineExceeded", message: "too long" }),
        ],
        key: "default/b",
        wantStatus: {
          Failed: "True BuildTimeout: Step fetch did not finish within 10m0s, the Build's timeout.",
        },
      },
      {
        name: "a log that went with its pod is no longer linked to",
        given: [
          existing(Build, {
            ...wish,
            status: {
              ...begun.status,
              completionTime: build.metadata.creationTimestamp,
              buildLogsLink: link("fetch"),
              stepsCompleted: ["build-step-fetch"],
            },
          } as never),
        ],
        key: "default/b",
        wantStatus: { buildLogsLink: undefined, stepsCompleted: ["build-step-fetch"] },
      },
      {
        name: "a pod that somebody deleted is not made again",
        given: [begun],
        key: "default/b",
        wantStatus: { Failed: `True PodMissing: The Build's pod ${name} was deleted before it ended.` },
        wantGone: [`Pod/${name}`],
      },
    ],
  );

  it("goes with nothing left to do, step by step, in a world that runs", async () => {
    const world = await startWorld({
      given: [],
      reconcilers: (deps) => [buildReconciler({ ...deps, settings: () => ({ apiUrl: "" }) })],
    });
    world.kubelet.decide(() => ({ is: "succeeded" }));
    const made = await world.apply(Build, {
      metadata: { name: "b", namespace: "default" },
      spec: wish.spec,
    } as never);
    expect(made.status?.conditions).toMatchObject([{ type: "Succeeded", status: "True" }]);
    const writes = world.writes();
    await world.advance(minutes(20));
    expect(world.writes()).toBe(writes);
    await world.close();
  });
});

describe("makeBuild", () => {
  it("takes what a Configuration writes inline, under the Revision's name", () => {
    const configuration = existing(Configuration, {
      metadata: { name: "c", generation: 3 },
      spec: { template: { spec: { containers: [{ image: "x" }] } }, build: wish.spec },
    } as never);
    expect(makeBuild(configuration, "c-00003")).toMatchObject({
      metadata: { name: "c-00003", ownerReferences: [{ kind: "Configuration", name: "c" }] },
      spec: wish.spec,
    });
    const { build: _build, ...spec } = configuration.spec;
    expect(makeBuild({ ...configuration, spec }, "c-00003")).toBeUndefined();
  });
});
