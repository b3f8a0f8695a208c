// What the API asks of the node: logs, commands, byte streams, use of resources. Texts are what kubectl users know.
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { type PodRef, type PodRuntime, PortError } from "../ports/index.js";
import type { LogInstance } from "./logs/readLog.js";
import { readLog } from "./logs/readLog.js";
import type { PodWorker } from "./podWorker.js";
import { podIP } from "./setup/downward.js";

export function podRuntime(workers: ReadonlyMap<string, PodWorker>): PodRuntime {
  function workerOf(pod: PodRef): PodWorker {
    const worker = workers.get(pod.uid);
    if (worker === undefined)
      throw new PortError("NotFound", `pod "${pod.name}" is not running on this node`);
    return worker;
  }

  return {
    async logs(pod, options, signal) {
      const instance = logInstance(workerOf(pod), options.container, options.previous);
      if (instance === undefined) return readNothing();
      return readLog(instance, options, signal);
    },

    async exec(pod, { container, command, stdin, tty }) {
      const worker = workerOf(pod);
      if (worker.life(container) === undefined) throw notValid(container, pod);
      const running = worker.life(container)?.running();
      if (running === undefined) {
        throw new PortError("BadRequest", `container ${container} in pod ${pod.name} is not running`);
      }
      return running.exec({ command, stdin, tty });
    },

    async dial(pod, port) {
      const worker = workerOf(pod);
      const hostPort = worker.ports()?.hostPort(port);
      if (hostPort === undefined) {
        const known = Object.keys(JSON.parse(worker.ports()?.annotation() ?? "{}") as object).join(", ");
        throw new PortError(
          "NotFound",
          `pod ${pod.name} has no port ${port}; its ports are ${known || "none"}`,
        );
      }
      return dial(hostPort);
    },

    usage() {
      return [...workers.values()].flatMap((worker) => {
        const used = (worker.pod().spec?.containers ?? []).flatMap(({ name }) => {
          const usage = worker.life(name)?.running()?.usage();
          return usage === undefined ? [] : [{ name, usage }];
        });
        if (used.length === 0) return [];
        const containers = used.map(({ name, usage }) => ({
          name,
          cpuNanoCores: usage.cpuNanoCores,
          memoryBytes: usage.memoryBytes,
        }));
        const { atMs, windowMs } = used[0]!.usage;
        return [{ pod: worker.ref, containers, atMs, windowMs }];
      });
    },
  };
}

function logInstance(worker: PodWorker, container: string, isPrevious: boolean): LogInstance | undefined {
  const life = worker.life(container);
  const facts = worker.facts(container);
  if (life === undefined || facts === undefined) throw notValid(container, worker.ref);
  // While it waits for its next start, the latest instance is the previous one too.
  const hasNext = facts.state.waiting === undefined;
  const number = isPrevious && hasNext ? facts.restartCount - 1 : facts.restartCount;
  const found = life.logs.instance(number);
  if (isPrevious && (facts.lastState === undefined || found === undefined)) {
    const message = `previous terminated container "${container}" in pod "${worker.ref.name}" not found`;
    throw new PortError("BadRequest", message);
  }
  if (found === undefined && facts.state.waiting !== undefined) {
    const { reason } = facts.state.waiting;
    const message = `container "${container}" in pod "${worker.ref.name}" is waiting to start: ${reason}`;
    throw new PortError("BadRequest", message);
  }
  return found;
}

async function* readNothing(): AsyncGenerator<Uint8Array> {}

function notValid(container: string, pod: PodRef): PortError {
  return new PortError("BadRequest", `container ${container} is not valid for pod ${pod.name}`);
}

function dial(port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: podIP, port, noDelay: true, allowHalfOpen: true });
    const refused = (cause: Error) =>
      reject(
        new PortError("ServiceUnavailable", `nothing listens on the pod's port: ${cause.message}`, { cause }),
      );
    socket.once("error", refused);
    socket.once("connect", () => {
      socket.off("error", refused);
      resolve(socket);
    });
  });
}
