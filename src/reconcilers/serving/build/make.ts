// The one pod of a Build: a source step and the user's steps, one after the other, over one /workspace.
import {
  buildNameLabel,
  sourceStep,
  stepContainer,
  workspace,
} from "../../../domain/apis/build/build.names.js";
import type { Build, BuildSpec } from "../../../domain/apis/build/build.types.js";
import type { Container } from "../../../domain/apis/core/container.types.js";
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import { apiVersionOf } from "../../../domain/apis/kind.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import type { Unsaved } from "../../../ports/index.js";
import { childName } from "../names.js";

/** What runs a plain command of the machine, git among them. */
const hostImage = "drydock/host";
const fetchImage = "drydock/storage-initializer";

/** The Build that a Configuration writes inline, under the name of the Revision that waits for it. */
export function makeBuild(configuration: Configuration, name: string): Unsaved<Build> | undefined {
  const { metadata, spec } = configuration;
  if (spec.build === undefined) return undefined;
  const labels = metadata.labels ?? {};
  return {
    metadata: {
      name,
      namespace: metadata.namespace,
      labels: {
        [serving.configuration]: metadata.name,
        [serving.configurationUid]: metadata.uid ?? "",
        [serving.configurationGeneration]: String(metadata.generation ?? 1),
        ...(labels[serving.service] ? { [serving.service]: labels[serving.service] } : {}),
      },
      ownerReferences: [
        {
          apiVersion: apiVersionOf(Configuration),
          kind: "Configuration",
          name: metadata.name,
          uid: metadata.uid ?? "",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: spec.build,
  } as Unsaved<Build>;
}

/** Never the same for two Builds: one that is made anew under its old name must not meet the old pod. */
export function podName({ metadata }: Build): string {
  return childName(metadata.name, `-pod-${(metadata.uid ?? "").slice(0, 6)}`);
}

export function makePod(build: Build, timeoutMs: number): Unsaved<Pod> {
  const { name, namespace, labels } = build.metadata;
  const { spec } = build;
  const source = makeSource(spec);
  const steps = (spec.steps ?? []).map((step) => withWorkspace(step, step.name));
  return {
    metadata: {
      name: podName(build),
      namespace,
      labels: { ...labels, [buildNameLabel]: name },
      // A sidecar would never end, and neither would the Build.
      annotations: { "sidecar.istio.io/inject": "false" },
    },
    spec: {
      restartPolicy: "Never",
      // The node ends the steps and keeps their logs, which a deleted pod would take along.
      activeDeadlineSeconds: Math.ceil(timeoutMs / 1_000),
      ...(spec.serviceAccountName ? { serviceAccountName: spec.serviceAccountName } : {}),
      volumes: [{ name: workspace.volume, emptyDir: {} }, ...(spec.volumes ?? [])],
      initContainers: [...(source === undefined ? [] : [source]), ...steps],
      // A pod must have one that is no init container.
      containers: [{ name: "nop", image: hostImage, command: ["true"] }],
    },
  };
}

function makeSource(spec: BuildSpec): Container | undefined {
  const { git, http, custom } = spec.source ?? {};
  const name = sourceStep(spec) ?? "";
  if (git !== undefined) {
    const words = [git.url, git.revision ?? ""];
    return withWorkspace(
      { image: hostImage, command: ["/bin/sh", "-c", fetchGit, "git-source", ...words] },
      name,
    );
  }
  if (http !== undefined) {
    // What the log calls the folder it fills.
    const env = [{ name: "DRYDOCK_MODEL_DIR_LABEL", value: workspace.path }];
    return withWorkspace({ image: fetchImage, args: [http.url, workspace.path], env }, name);
  }
  return custom === undefined ? undefined : withWorkspace(custom, name);
}

// Shallow where the server lets us name what we want; else all of it, for commits and tags it does not advertise.
// git ends with advice: the line that says what is wrong is left as the container's last words.
const fetchGit = `
export GIT_TERMINAL_PROMPT=0
log=$(mktemp)
fail() { cat "$log" >&2; grep -m1 -E '^(fatal|error):' "$log" > /dev/termination-log; exit 1; }
git init --quiet . 2>"$log" || fail
if git fetch --quiet --depth=1 -- "$1" "\${2:-HEAD}" 2>"$log"; then
  git checkout --quiet --detach FETCH_HEAD 2>"$log" || fail
else
  [ -n "$2" ] || fail
  git fetch --quiet --tags -- "$1" '+refs/heads/*:refs/remotes/origin/*' 2>"$log" || fail
  git checkout --quiet --detach "$2" 2>"$log" || fail
fi
git log -1 --format='%H %s'
`;

function withWorkspace(step: Omit<Container, "name">, name: string): Container {
  return {
    ...step,
    name: stepContainer(name),
    workingDir: step.workingDir || workspace.path,
    volumeMounts: [{ name: workspace.volume, mountPath: workspace.path }, ...(step.volumeMounts ?? [])],
    // The last line of the log becomes the container's last words, and those the Build's.
    terminationMessagePolicy: step.terminationMessagePolicy || "FallbackToLogsOnError",
  };
}
