// What Knative's controller says to a queue-proxy: environment variables, spelled as it spells them.
import type { Probe } from "../../domain/apis/core/container.types.js";

export interface QueueProxySettings {
  readonly namespace: string;
  readonly service: string;
  readonly configuration: string;
  readonly revision: string;
  readonly pod: string;
  readonly podIp: string;
  readonly servingPort: number;
  readonly tlsPort: number;
  readonly userPort: number;
  readonly containerConcurrency: number;
  readonly timeoutSeconds: number;
  readonly responseStartTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly probes: readonly Probe[];
  readonly detectHttp2: boolean;
  readonly ports: { readonly admin: number; readonly stats: number; readonly metrics: number };
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
  const settings: QueueProxySettings = {
    namespace: text("SERVING_NAMESPACE"),
    service: text("SERVING_SERVICE", ""),
    configuration: text("SERVING_CONFIGURATION", ""),
    revision: text("SERVING_REVISION"),
    pod: text("SERVING_POD"),
    podIp: text("SERVING_POD_IP", ""),
    servingPort: port("QUEUE_SERVING_PORT"),
    tlsPort: port("QUEUE_SERVING_TLS_PORT", 8112),
    userPort: port("USER_PORT"),
    containerConcurrency: count("CONTAINER_CONCURRENCY", 0),
    timeoutSeconds: count("REVISION_TIMEOUT_SECONDS", 0),
    responseStartTimeoutSeconds: count("REVISION_RESPONSE_START_TIMEOUT_SECONDS", 0),
    idleTimeoutSeconds: count("REVISION_IDLE_TIMEOUT_SECONDS", 0),
    probes: readProbes(env["SERVING_READINESS_PROBE"], wrong),
    detectHttp2: env["ENABLE_HTTP2_AUTO_DETECTION"] === "true",
    ports: {
      admin: port("DRYDOCK_QUEUE_ADMIN_PORT", 8022),
      stats: port("DRYDOCK_QUEUE_STATS_PORT", 9090),
      metrics: port("DRYDOCK_QUEUE_METRICS_PORT", 9091),
    },
    certificateFolder: text("DRYDOCK_QUEUE_CERTIFICATES", "/var/lib/knative/certs"),
  };
  return wrong.length > 0 ? { wrong } : { settings };
}

/** One probe, or a list where several containers are probed. */
function readProbes(text: string | undefined, wrong: string[]): readonly Probe[] {
  if (text === undefined || text === "") return [];
  try {
    const read: unknown = JSON.parse(text);
    const list = Array.isArray(read) ? read : [read];
    if (list.every((one) => typeof one === "object" && one !== null)) return list as Probe[];
    wrong.push("SERVING_READINESS_PROBE is neither a probe nor a list of probes");
  } catch (error) {
    wrong.push(`SERVING_READINESS_PROBE is not JSON: ${(error as Error).message}`);
  }
  return [];
}
