// What Knative's controller says to a queue-proxy: environment variables, spelled as it spells them.
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { parseBool } from "../../domain/apis/config/goText.js";
import type { Probe } from "../../domain/apis/core/container.types.js";
import { type Observability, readObservability } from "./observability.js";
import { readTls, type TlsSettings } from "./tlsSettings.js";
import { type LogSettings, readLogging } from "./zap.js";

export interface QueueProxySettings {
  readonly namespace: string;
  readonly service: string;
  readonly configuration: string;
  readonly revision: string;
  readonly pod: string;
  readonly podIp: string;
  readonly hostIp: string;
  readonly servingPort: number;
  readonly tlsPort: number;
  readonly userPort: number;
  readonly containerConcurrency: number;
  readonly timeoutSeconds: number;
  readonly responseStartTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly probes: readonly Probe[];
  readonly detectHttp2: boolean;
  readonly ports: {
    readonly admin: number;
    readonly stats: number;
    readonly metrics: number;
    readonly profiling: number;
  };
  readonly tls: TlsSettings;
  readonly logging: LogSettings;
  readonly observability: Observability;
  readonly certificateFolder: string;
}

/** Gives back every variable that is wrong, not only the first. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): { readonly settings: QueueProxySettings } | { readonly wrong: readonly string[] } {
  const wrong: string[] = [];
  const text = (name: string, usual?: string): string => {
    const value = env[name] ?? usual;
    if (value === undefined) wrong.push(`${name} is missing`);
    return value ?? "";
  };
  const count = (name: string, usual?: number): number => {
    const value = env[name];
    if (value === undefined || value === "") {
      if (usual === undefined) wrong.push(`${name} is missing`);
      return usual ?? 0;
    }
    if (/^\d{1,9}$/.test(value)) return Number(value);
    wrong.push(`${name} is ${JSON.stringify(value)}, which is no whole number`);
    return 0;
  };
  const port = (name: string, usual?: number): number => {
    const value = count(name, usual);
    if (value > 65_535) wrong.push(`${name} is ${value}, which is no port`);
    return value;
  };
  const flag = (name: string): boolean => {
    const given = env[name] ?? "";
    const parsed = given === "" ? { value: false } : parseBool(given);
    if ("value" in parsed) return parsed.value;
    wrong.push(`${name} is ${JSON.stringify(given)}, which is neither true nor false`);
    return false;
  };
  const address = (name: string): string => {
    const value = env[name] ?? "";
    if (value !== "" && isIP(value) === 0)
      wrong.push(`${name} is ${JSON.stringify(value)}, which is no IP address`);
    return value;
  };
  // Bodies flow both ways at once here whatever it says; only what it says must make sense. SYSTEM_NAMESPACE is for
  // those who call Knative's own parts, and nobody here does.
  flag("ENABLE_HTTP_FULL_DUPLEX");
  checkRootCa(env["ROOT_CA"], wrong);
  const settings: QueueProxySettings = {
    namespace: text("SERVING_NAMESPACE"),
    service: text("SERVING_SERVICE", ""),
    configuration: text("SERVING_CONFIGURATION", ""),
    revision: text("SERVING_REVISION"),
    pod: text("SERVING_POD"),
    podIp: address("SERVING_POD_IP"),
    hostIp: address("HOST_IP"),
    servingPort: port("QUEUE_SERVING_PORT"),
    tlsPort: port("QUEUE_SERVING_TLS_PORT", 8112),
    userPort: port("USER_PORT"),
    containerConcurrency: count("CONTAINER_CONCURRENCY", 0),
    timeoutSeconds: count("REVISION_TIMEOUT_SECONDS", 0),
    responseStartTimeoutSeconds: count("REVISION_RESPONSE_START_TIMEOUT_SECONDS", 0),
    idleTimeoutSeconds: count("REVISION_IDLE_TIMEOUT_SECONDS", 0),
    probes: readProbes(env["SERVING_READINESS_PROBE"], flag("ENABLE_MULTI_CONTAINER_PROBES"), wrong),
    detectHttp2: flag("ENABLE_HTTP2_AUTO_DETECTION"),
    ports: {
      admin: port("DRYDOCK_QUEUE_ADMIN_PORT", 8022),
      stats: port("DRYDOCK_QUEUE_STATS_PORT", 9090),
      metrics: port("DRYDOCK_QUEUE_METRICS_PORT", 9091),
      profiling: port("DRYDOCK_QUEUE_PROFILING_PORT", 8008),
    },
    tls: readTls(env, wrong),
    logging: readLogging(env["SERVING_LOGGING_CONFIG"], env["SERVING_LOGGING_LEVEL"], wrong),
    observability: readObservability(env["OBSERVABILITY_CONFIG"], wrong),
    certificateFolder: text("DRYDOCK_QUEUE_CERTIFICATES", "/var/lib/knative/certs"),
  };
  return wrong.length > 0 ? { wrong } : { settings };
}

/** What upstream's extensions trust when they call somebody. There are none here, and nobody is called but the container. */
function checkRootCa(text: string | undefined, wrong: string[]): void {
  if (text === undefined || text.trim() === "") return;
  const pems = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (pems.length === 0) wrong.push("ROOT_CA holds no certificate in PEM");
  for (const pem of pems) {
    try {
      new X509Certificate(pem);
    } catch (error) {
      wrong.push(`ROOT_CA holds a certificate that cannot be read: ${(error as Error).message}`);
    }
  }
}

/** One probe, or a list where several containers are probed. */
function readProbes(text: string | undefined, several: boolean, wrong: string[]): readonly Probe[] {
  if (text === undefined || text === "") return [];
  try {
    const read: unknown = JSON.parse(text);
    if (Array.isArray(read) && !several) {
      wrong.push("SERVING_READINESS_PROBE is a list, but ENABLE_MULTI_CONTAINER_PROBES is not true");
      return [];
    }
    const list = Array.isArray(read) ? read : [read];
    if (list.every((one) => typeof one === "object" && one !== null)) return list as Probe[];
    wrong.push("SERVING_READINESS_PROBE is neither a probe nor a list of probes");
  } catch (error) {
    wrong.push(`SERVING_READINESS_PROBE is not JSON: ${(error as Error).message}`);
  }
  return [];
}
