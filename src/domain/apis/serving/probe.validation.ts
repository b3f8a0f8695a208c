// What a probe may ask (knative-serving.md, section 1.7.4).
import type { Probe } from "../core/container.types.js";
import {
  disallowed,
  fault,
  invalidValue,
  type KnativeErrors,
  missingOneOf,
  multipleOneOf,
  outOfBounds,
  setFields,
} from "./knativeError.js";

const maxInt32 = 2147483647;
const handlers = ["httpGet", "tcpSocket", "exec", "grpc"] as const;

/** `portName` is what the serving port is called; without one the container has none, and the probe must say where. */
export function validateProbe(probe: Probe | undefined, portName: string | undefined): KnativeErrors {
  if (probe === undefined) return [];
  const given = handlers.filter((name) => probe[name] !== undefined);
  return [
    ...validatePort(probe.httpGet?.port, probe.httpGet, "httpGet.port", portName),
    ...validatePort(probe.tcpSocket?.port, probe.tcpSocket, "tcpSocket.port", portName),
    ...(given.length === 0 ? missingOneOf(...handlers) : []),
    ...(given.length > 1 ? multipleOneOf(...given) : []),
  ];
}

function validatePort(
  port: string | number | undefined,
  handler: object | undefined,
  path: string,
  portName: string | undefined,
): KnativeErrors {
  if (handler === undefined) return [];
  if (portName === undefined)
    return port ? [] : invalidValue(port ?? 0, path, "Probe port must be specified");
  const elsewhere = typeof port === "string" && port !== "" && port !== portName;
  return elsewhere ? invalidValue(port, path, "Probe port must match container port") : [];
}

/** A period of zero is Knative's own: probe as fast as makes sense, with no thresholds to count by. */
export function validateReadinessProbe(
  probe: Probe | undefined,
  portName: string | undefined,
): KnativeErrors {
  if (probe === undefined) return [];
  const { periodSeconds = 0, failureThreshold = 0, timeoutSeconds = 0 } = probe;
  const aggressive = (path: "failureThreshold" | "timeoutSeconds", value: number) =>
    value === 0 ? [] : fault(`${path} is disallowed when periodSeconds is zero`, [path]);
  return [
    ...validateProbe(probe, portName),
    ...atLeast(0, periodSeconds, "periodSeconds"),
    ...atLeast(0, probe.initialDelaySeconds ?? 0, "initialDelaySeconds"),
    ...atLeast(1, probe.successThreshold ?? 0, "successThreshold"),
    ...(periodSeconds === 0
      ? [...aggressive("failureThreshold", failureThreshold), ...aggressive("timeoutSeconds", timeoutSeconds)]
      : [
          ...atLeast(1, timeoutSeconds, "timeoutSeconds"),
          ...atLeast(1, failureThreshold, "failureThreshold"),
        ]),
  ];
}

function atLeast(low: number, value: number, path: string): KnativeErrors {
  return value < low ? outOfBounds(value, low, maxInt32, path) : [];
}

/** Where none is allowed, each thing said is one too many; a handler is the probe itself. */
export function refuseProbe(probe: Probe | undefined): KnativeErrors {
  if (probe === undefined) return [];
  const said = setFields(probe, new Set([...handlers, "terminationGracePeriodSeconds"]));
  return disallowed(...said.map((name) => (handlers.some((one) => one === name) ? "" : name)));
}
