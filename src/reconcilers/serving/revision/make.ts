import type { Deployment } from "../../../domain/apis/apps/apps.types.js";
import type { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import type { Container, EnvVar } from "../../../domain/apis/core/container.types.js";
import type { PodSpec } from "../../../domain/apis/core/pod.types.js";
import { autoscaling, defaultContainer, serving } from "../../../domain/apis/serving/keys.js";
import type { Revision } from "../../../domain/apis/serving/revision.types.js";
import type { Unsaved } from "../../../ports/index.js";
import { childName, without } from "../names.js";
import type { Digests } from "./digests.js";

/** The error-conditions document's 120 seconds. */
const progressDeadlineSeconds = 120;

const servingPort = 8080;

const bookkeeping = new Set<string>([serving.routes, serving.routingStateModified]);

export function makeDeployment(revision: Revision, digests: Digests): Unsaved<Deployment> {
  const labels = childLabels(revision);
  const annotations = without(
    revision.metadata.annotations,
    (key) => bookkeeping.has(key) || key.startsWith("autoscaling.knative.dev"),
  );
  const main = servingContainer(revision);
  return {
    metadata: {
      name: childName(revision.metadata.name, "-deployment"),
      namespace: revision.metadata.namespace,
      labels,
      annotations,
    },
    spec: {
      replicas: Number(revision.metadata.annotations?.[autoscaling.initialScale] ?? 1),
      selector: { matchLabels: { [serving.revisionUid]: revision.metadata.uid ?? "" } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
      revisionHistoryLimit: 0,
      progressDeadlineSeconds:
        seconds(revision.metadata.annotations?.[serving.progressDeadline]) ?? progressDeadlineSeconds,
      template: {
        metadata: {
          labels,
          annotations: { ...annotations, [defaultContainer]: main?.name ?? "" },
        } as unknown as Deployment["metadata"],
        spec: podSpec(revision, digests, main),
      },
    },
  };
}

export function makePodAutoscaler(revision: Revision): Unsaved<PodAutoscaler> {
  const { name, namespace, annotations, labels } = revision.metadata;
  const state = labels?.[serving.routingState];
  return {
    metadata: {
      name,
      namespace,
      labels: childLabels(revision),
      annotations: {
        ...without(annotations, (key) => bookkeeping.has(key)),
        [autoscaling.class]: annotations?.[autoscaling.class] ?? "kpa.autoscaling.knative.dev",
      },
    },
    spec: {
      containerConcurrency: revision.spec.containerConcurrency,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: childName(name, "-deployment") },
      reachability: state === "active" ? "Reachable" : state === "reserve" ? "Unreachable" : "",
      protocolType: protocolOf(revision),
    },
  };
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

function podSpec(revision: Revision, digests: Digests, main: Container | undefined): PodSpec {
  const {
    containerConcurrency: _concurrency,
    timeoutSeconds,
    responseStartTimeoutSeconds: _start,
    idleTimeoutSeconds: _idle,
    ...spec
  } = revision.spec;
  return {
    ...spec,
    containers: spec.containers.map((container) =>
      makeContainer(container, container === main, revision, digests),
    ),
    terminationGracePeriodSeconds: timeoutSeconds,
    enableServiceLinks: spec.enableServiceLinks ?? false,
  };
}

function makeContainer(container: Container, main: boolean, revision: Revision, digests: Digests): Container {
  const port = container.ports?.[0];
  const number = port?.containerPort ?? servingPort;
  const digest = digests.find((one) => one.name === container.name)?.imageDigest;
  return {
    ...container,
    image: digest || container.image,
    env: [
      ...(container.env ?? []),
      ...(main ? [{ name: "PORT", value: String(number) }] : []),
      ...identity(revision),
    ],
    terminationMessagePolicy: container.terminationMessagePolicy ?? "FallbackToLogsOnError",
    ...(main ? { ports: [{ name: "user-port", containerPort: number, protocol: "TCP" }] } : {}),
    ...(container.readinessProbe?.tcpSocket?.port === 0 || container.readinessProbe?.httpGet?.port === 0
      ? { readinessProbe: withPort(container.readinessProbe, number) }
      : {}),
  };
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

/** A Go duration of hours, minutes and seconds, such as 2m30s. */
function seconds(duration: string | undefined): number | undefined {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration ?? "");
  if (!duration || match === null) return undefined;
  return Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
}
