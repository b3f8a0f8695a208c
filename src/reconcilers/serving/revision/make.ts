import type { Deployment } from "../../../domain/apis/apps/apps.types.js";
import type { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import type { Image } from "../../../domain/apis/caching/image.types.js";
import { parseDuration } from "../../../domain/apis/config/goText.js";
import type { ServingConfig } from "../../../domain/apis/config/index.js";
import type { Container, EnvVar } from "../../../domain/apis/core/container.types.js";
import type { PodSpec } from "../../../domain/apis/core/pod.types.js";
import { autoscaling, defaultContainer, serving } from "../../../domain/apis/serving/keys.js";
import type { Revision } from "../../../domain/apis/serving/revision.types.js";
import { initialScale } from "../../../domain/autoscaling/index.js";
import type { Unsaved } from "../../../ports/index.js";
import { childName, without } from "../names.js";
import type { Digests, PinnedImages } from "./digests.js";
import { withPinnedModels } from "./models.js";

const servingPort = 8080;

/** Filled in when the PodAutoscaler is made, and not said by every Revision. */
const keptScaling = new Set<string>([autoscaling.class, autoscaling.metric]);

const bookkeeping = new Set<string>([serving.routes, serving.routingStateModified]);

export function makeDeployment(
  revision: Revision,
  pinned: PinnedImages,
  { deployment, autoscaler }: ServingConfig,
): Unsaved<Deployment> {
  const labels = childLabels(revision);
  const annotations = without(
    revision.metadata.annotations,
    (key) => bookkeeping.has(key) || key.startsWith("autoscaling.knative.dev"),
  );
  const main = servingContainer(revision);
  return {
    metadata: {
      name: deploymentName(revision),
      namespace: revision.metadata.namespace,
      labels,
      annotations,
    },
    spec: {
      replicas: initialScale(revision.metadata.annotations, autoscaler),
      selector: { matchLabels: { [serving.revisionUid]: revision.metadata.uid ?? "" } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
      revisionHistoryLimit: 0,
      progressDeadlineSeconds:
        seconds(revision.metadata.annotations?.[serving.progressDeadline]) ??
        deployment.progressDeadlineSeconds,
      template: {
        metadata: {
          labels,
          annotations: { ...annotations, [defaultContainer]: main?.name ?? "" },
        } as unknown as Deployment["metadata"],
        spec: podSpec(revision, pinned, main, deployment),
      },
    },
  };
}

export function deploymentName(revision: Revision): string {
  return childName(revision.metadata.name, "-deployment");
}

/**
 * One that failed before it ever served is let go after a while, though a Route may still name it. What was said of
 * scaling and no longer is goes away; what others wrote on the PodAutoscaler stays.
 */
export function makePodAutoscaler(
  revision: Revision,
  failed: boolean,
  { autoscaler }: ServingConfig,
  known: { readonly [key: string]: string } = {},
): Unsaved<PodAutoscaler> {
  const { name, namespace, annotations, labels } = revision.metadata;
  const state = labels?.[serving.routingState];
  return {
    metadata: {
      name,
      namespace,
      labels: childLabels(revision),
      annotations: {
        ...without(known, (key) => key.startsWith("autoscaling.knative.dev/") && !keptScaling.has(key)),
        ...without(annotations, (key) => bookkeeping.has(key)),
        [autoscaling.class]:
          annotations?.[autoscaling.class] ?? known[autoscaling.class] ?? autoscaler.podAutoscalerClass,
      },
    },
    spec: {
      containerConcurrency: revision.spec.containerConcurrency,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deploymentName(revision) },
      reachability: failed || state === "reserve" ? "Unreachable" : state === "active" ? "Reachable" : "",
      protocolType: protocolOf(revision),
    },
  };
}

/** A hint for whoever keeps images near: one for each container, made once. */
export function makeImages(revision: Revision, pinned: PinnedImages): readonly Unsaved<Image>[] {
  const { name, namespace, annotations } = revision.metadata;
  const { containers, initContainers = [], serviceAccountName, imagePullSecrets } = revision.spec;
  return [...containers, ...initContainers].map((container) => ({
    metadata: {
      name: childName(`${name}-cache`, `-${container.name}`),
      namespace,
      labels: childLabels(revision),
      annotations: without(
        annotations,
        (key) => bookkeeping.has(key) || key.startsWith("autoscaling.knative.dev"),
      ),
    },
    spec: {
      image: digestOf(container, [...pinned.containers, ...pinned.initContainers]) || container.image,
      ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
      ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
    },
  })) as readonly Unsaved<Image>[];
}

function protocolOf(revision: Revision): "http1" | "h2c" {
  return servingContainer(revision)?.ports?.[0]?.name === "h2c" ? "h2c" : "http1";
}

function childLabels(revision: Revision): { readonly [key: string]: string } {
  const { name, uid, labels } = revision.metadata;
  return {
    app: name,
    ...without(labels, (key) => key === serving.route || key === serving.routingState),
    [serving.revision]: name,
    [serving.revisionUid]: uid ?? "",
  };
}

/** The only container, or the one with a port. */
function servingContainer(revision: Revision): Container | undefined {
  const { containers } = revision.spec;
  return containers.length === 1 ? containers[0] : containers.find((one) => one.ports?.length);
}

function podSpec(
  revision: Revision,
  pinned: PinnedImages,
  main: Container | undefined,
  { defaultAffinityType, runtimeClassNames }: ServingConfig["deployment"],
): PodSpec {
  const {
    containerConcurrency: _concurrency,
    timeoutSeconds,
    responseStartTimeoutSeconds: _start,
    idleTimeoutSeconds: _idle,
    buildName: _build,
    ...spec
  } = revision.spec;
  const runtimeClassName = spec.runtimeClassName ?? runtimeClassFor(revision, runtimeClassNames);
  return {
    ...spec,
    ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
    ...(spec.affinity === undefined && defaultAffinityType === "prefer-spread-revision-over-nodes"
      ? { affinity: apart(revision.metadata.name) }
      : {}),
    containers: spec.containers.map((container) =>
      makeContainer(container, container === main, revision, pinned.containers),
    ),
    ...(spec.initContainers === undefined
      ? {}
      : {
          initContainers: spec.initContainers.map((container) => ({
            ...container,
            ...withPinnedModels(container, pinned.initContainers),
            image: digestOf(container, pinned.initContainers) || container.image,
          })),
        }),
    terminationGracePeriodSeconds: timeoutSeconds,
    enableServiceLinks: spec.enableServiceLinks ?? false,
  };
}

function makeContainer(container: Container, main: boolean, revision: Revision, digests: Digests): Container {
  const port = container.ports?.[0];
  const number = port?.containerPort ?? servingPort;
  return {
    ...container,
    image: digestOf(container, digests) || container.image,
    env: [
      ...(container.env ?? []),
      ...(main ? [{ name: "PORT", value: String(number) }] : []),
      ...identity(revision),
    ],
    terminationMessagePolicy: container.terminationMessagePolicy ?? "FallbackToLogsOnError",
    ...(main ? { ports: [{ name: "user-port", containerPort: number, protocol: "TCP" }] } : {}),
    ...(container.readinessProbe !== undefined && lacksPort(container.readinessProbe)
      ? { readinessProbe: withPort(container.readinessProbe, number) }
      : {}),
  };
}

function digestOf({ name }: Container, digests: Digests): string | undefined {
  return digests.find((one) => one.name === name)?.imageDigest;
}

/** A probe may leave its port out: there is only one that can be meant. */
function lacksPort({ tcpSocket, httpGet }: NonNullable<Container["readinessProbe"]>): boolean {
  return [tcpSocket, httpGet].some((action) => action !== undefined && !action.port);
}

function withPort(
  probe: NonNullable<Container["readinessProbe"]>,
  port: number,
): NonNullable<Container["readinessProbe"]> {
  return {
    ...probe,
    ...(probe.tcpSocket === undefined ? {} : { tcpSocket: { ...probe.tcpSocket, port } }),
    ...(probe.httpGet === undefined ? {} : { httpGet: { ...probe.httpGet, port } }),
  };
}

function identity(revision: Revision): readonly EnvVar[] {
  const { name, labels } = revision.metadata;
  return [
    { name: "K_REVISION", value: name },
    { name: "K_CONFIGURATION", value: labels?.[serving.configuration] ?? "" },
    { name: "K_SERVICE", value: labels?.[serving.service] ?? "" },
  ];
}

/** Pods of one Revision rather lie on several nodes. */
function apart(revisionName: string): PodSpec["affinity"] {
  return {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            topologyKey: "kubernetes.io/hostname",
            labelSelector: { matchLabels: { [serving.revision]: revisionName } },
          },
        },
      ],
    },
  } as PodSpec["affinity"];
}

/** The class with the most labels of this Revision; among equals the first by name. */
function runtimeClassFor(
  { metadata }: Revision,
  classes: ServingConfig["deployment"]["runtimeClassNames"],
): string | undefined {
  const fits = classes.filter(({ selector }) =>
    Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value),
  );
  return [...fits].sort(
    (a, b) => Object.keys(b.selector).length - Object.keys(a.selector).length || (a.name < b.name ? -1 : 1),
  )[0]?.name;
}

function seconds(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const parsed = parseDuration(duration);
  return "value" in parsed ? Number(parsed.value / 1_000_000_000n) : undefined;
}
