// A probe of a pod, put to where the pod's ports really are.
import type { Container, Probe } from "../../domain/apis/core/container.types.js";
import type { RunningContainer } from "../../ports/index.js";
import { forwardedSettleMs, probeOutputBytes } from "../limits.js";
import type { PodPorts } from "../podPorts.js";
import { podIP } from "../setup/downward.js";
import { type Answer, askGrpc, askHttp, askTcp, execAnswer } from "./answers.js";

export async function askProbe(
  probe: Probe,
  timeoutMs: number,
  container: Container,
  ports: PodPorts,
  running: RunningContainer,
  isForwarded: boolean,
): Promise<Answer> {
  if (probe.exec !== undefined) return askExec(probe.exec.command ?? [], timeoutMs, running);
  const action = probe.httpGet ?? probe.tcpSocket ?? probe.grpc;
  if (action === undefined) return { isWell: true };
  const elsewhere = "host" in action && action.host && !isHere(action.host) ? action.host : undefined;
  const port = portNumber(action.port, container, elsewhere === undefined ? ports : undefined);
  if (port === undefined) return { isWell: false, because: `unable to find port ${action.port}` };
  const host = elsewhere ?? podIP;
  if (probe.httpGet !== undefined) return askHttp(probe.httpGet, host, port, timeoutMs);
  if (probe.grpc !== undefined) return askGrpc(probe.grpc.service ?? "", host, port, timeoutMs);
  return askTcp(host, port, timeoutMs, isForwarded ? forwardedSettleMs : 0);
}

/** 0 is Knative's way to say "the port you serve on". */
export function portNumber(
  port: number | string,
  container: Container,
  ports: PodPorts | undefined,
): number | undefined {
  const number = typeof port === "number" || /^\d+$/.test(port) ? Number(port) : undefined;
  if (number === 0) return ports?.of(container.name)[0]?.hostPort;
  const wanted = number ?? container.ports?.find((one) => one.name === port)?.containerPort;
  if (wanted === undefined) return undefined;
  return ports?.hostPort(wanted) ?? wanted;
}

async function askExec(
  command: readonly string[],
  timeoutMs: number,
  running: RunningContainer,
): Promise<Answer> {
  try {
    const session = await running.exec({ command, stdin: false, tty: false });
    const output: Buffer[] = [];
    let bytes = 0;
    const keep = (chunk: Buffer) => {
      if (bytes < probeOutputBytes) output.push(chunk);
      bytes += chunk.length;
    };
    session.stdout.on("data", keep);
    session.stderr.on("data", keep);
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      session.kill();
    }, timeoutMs);
    const exitCode = await session.exited;
    clearTimeout(deadline);
    if (isLate)
      return {
        isWell: false,
        because: `command timed out: ${JSON.stringify(command.join(" "))} timed out after ${timeoutMs / 1000}s`,
      };
    return execAnswer(exitCode, Buffer.concat(output));
  } catch (error) {
    return { isWell: false, because: error instanceof Error ? error.message : String(error) };
  }
}

function isHere(host: string): boolean {
  return host === "127.0.0.1" || host === "localhost";
}
