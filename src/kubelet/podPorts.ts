/**
 * The ports of one pod. Pods share the machine's address, so a port a container declares is a name for a port of the
 * machine; the pairs are written on the pod for whoever connects to it.
 */
import type { Container } from "../domain/apis/core/container.types.js";
import type { Pod } from "../domain/apis/core/pod.types.js";
import type { PodPort } from "../ports/index.js";
import { canListen, type HostPorts } from "./hostPorts.js";

export const portsAnnotation = "drydock.dev/ports";

/** Knative's queue proxy listens on one of these, the second for HTTP/2; on one machine its work is done in the gateway,
 *  and the model answers. */
const queuePorts: readonly number[] = [8012, 8013];
const defaultPort = 8080;

export interface PodPorts {
  /** Pairs for one container, its first port first. */
  of(container: string): readonly PortPair[];
  hostPort(containerPort: number): number | undefined;
  all(): readonly PodPort[];
  /** Every pair, as the annotation's JSON says it. */
  readonly annotation: () => string;
  /** Before a start: ports that somebody else has taken meanwhile are exchanged. True when any was. */
  refresh(container: string): Promise<boolean>;
  release(): void;
}

export interface PortPair {
  readonly containerPort: number;
  readonly hostPort: number;
}

/** `before` are those that lead to containers which run already. */
export async function takePodPorts(
  pod: Pod,
  table: HostPorts,
  before: readonly PodPort[] = [],
): Promise<PodPorts> {
  const wanted = wantedPorts(pod);
  const known = wanted.map((want) =>
    before.find((one) => one.container === want.container && one.containerPort === want.containerPort),
  );
  table.hold(known.flatMap((one) => one?.hostPort ?? []));
  const fresh = [...(await table.take(known.filter((one) => one === undefined).length))];
  let pairs: readonly PodPort[] = wanted.map(
    (want, at) => known[at] ?? { ...want, hostPort: fresh.shift()! },
  );
  const serving = pod.spec?.containers.find((one) => (one.ports ?? []).length > 0) ?? pod.spec?.containers[0];

  // Two containers that declare nothing both get a port of their own; the number 8080 goes to the first.
  const hostPort = (containerPort: number) =>
    pairs.find((pair) => pair.containerPort === containerPort)?.hostPort ??
    (queuePorts.includes(containerPort)
      ? pairs.find((pair) => pair.container === serving?.name)?.hostPort
      : undefined);

  return {
    of: (container) => pairs.filter((pair) => pair.container === container),
    hostPort,
    all: () => pairs,
    annotation: () =>
      JSON.stringify(
        Object.fromEntries(
          [...new Set([...pairs.map((pair) => pair.containerPort), ...queuePorts])].flatMap((port) => {
            const host = hostPort(port);
            return host === undefined ? [] : [[String(port), host]];
          }),
        ),
      ),
    async refresh(container) {
      const mine = pairs.filter((pair) => pair.container === container);
      const free = await Promise.all(mine.map((pair) => canListen(pair.hostPort)));
      const lost = mine.filter((_pair, at) => !free[at]);
      if (lost.length === 0) return false;
      const fresh = await table.take(lost.length);
      table.release(lost.map((pair) => pair.hostPort));
      pairs = pairs.map((pair) =>
        lost.includes(pair) ? { ...pair, hostPort: fresh[lost.indexOf(pair)]! } : pair,
      );
      return true;
    },
    release: () => table.release(pairs.map((pair) => pair.hostPort)),
  };
}

/** Those that a pod's servers listen on. */
export function wantedPorts(pod: Pod): readonly Pick<PodPort, "container" | "containerPort">[] {
  return listeners(pod).flatMap((container) =>
    declared(container).map((containerPort) => ({ container: container.name, containerPort })),
  );
}

function listeners(pod: Pod): readonly Container[] {
  const sidecars = (pod.spec?.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  return [...(pod.spec?.containers ?? []), ...sidecars];
}

function declared(container: Container): readonly number[] {
  const ports = (container.ports ?? []).flatMap((port) =>
    port.protocol === "UDP" ? [] : port.containerPort,
  );
  return ports.length === 0 ? [defaultPort] : ports;
}
