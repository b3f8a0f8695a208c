// ConfigMaps that say nothing about models: looked at when written, so that a slip is told, and read by nobody yet.
import { type Parsed, parseUint32 } from "./goText.js";
import { optional, type Reader, type Reading, readers, setting, settingsMap } from "./settings.js";
import { parseYaml } from "./yaml.js";

const maxBuckets = 10;

const duration = readers().duration;

export const leaderElectionMap = settingsMap({
  name: "config-leader-election",
  component: "controller",
  settings: {
    lease: setting(
      "lease-duration",
      "60s",
      duration,
      "How long one that does not lead waits before it tries to.",
      "leaseDuration",
    ),
    renew: setting(
      "renew-deadline",
      "40s",
      duration,
      "How long a leader tries to stay one before it gives up.",
      "renewDeadline",
    ),
    retry: setting("retry-period", "10s", duration, "How long to wait between tries.", "retryPeriod"),
    buckets: setting(
      "buckets",
      "1",
      buckets,
      "Into how many parts the work is shared among leaders, up to 10.",
    ),
  },
  shape: (read) => read,
});

function buckets(text: string, key: string): ReturnType<Reader<number>> {
  const parsed = parseUint32(text);
  if ("because" in parsed) return { fault: `failed to parse ${JSON.stringify(key)}: ${parsed.because}` };
  return parsed.value < 1 || parsed.value > maxBuckets
    ? { fault: `buckets: value must be between 1 <= ${parsed.value} <= ${maxBuckets}` }
    : parsed;
}

const levels = ["debug", "info", "warn", "error", "dpanic", "panic", "fatal"];

const level = (part: string) =>
  optional(`loglevel.${part}`, logLevel, `How much the ${part} tells: debug, info, warn or error.`);

export const loggingMap = settingsMap({
  name: "config-logging",
  component: "logging",
  settings: {
    zap: optional(
      "zap-logger-config",
      zapConfig,
      "As JSON: level, encoding and the names of the members of a line.",
    ),
    controller: level("controller"),
    autoscaler: level("autoscaler"),
    queueproxy: level("queueproxy"),
    webhook: level("webhook"),
    activator: level("activator"),
    hpa: level("hpaautoscaler"),
    istio: level("net-istio-controller"),
    contour: level("net-contour-controller"),
    kourier: level("net-kourier-controller"),
    gateway: level("net-gateway-api-controller"),
  },
  shape: (read) => read,
});

function logLevel(text: string, key: string): Reading<string> {
  return text === "" || levels.includes(text.toLowerCase())
    ? { value: text }
    : { fault: `${key}: unrecognized level: ${JSON.stringify(text)}` };
}

function zapConfig(text: string, key: string): Reading<string> {
  const parsed = parseObject(text);
  return "because" in parsed ? { fault: `${key}: ${parsed.because}` } : { value: text };
}

function parseObject(text: string): Parsed<object> {
  if (text.trim() === "") return { value: {} };
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { value }
      : { because: "expected a JSON object" };
  } catch {
    return { because: "not valid JSON" };
  }
}

export const certManagerMap = settingsMap({
  name: "config-certmanager",
  component: "net-certmanager",
  settings: {
    external: optional("issuerRef", issuer, "As YAML: kind and name of the issuer for external hosts."),
    local: optional("clusterLocalIssuerRef", issuer, "The same for cluster-local hosts."),
    system: optional("systemInternalIssuerRef", issuer, "The same for what our parts say to each other."),
  },
  shape: (read) => read,
});

function issuer(text: string, key: string): Reading<string> {
  const parsed = parseYaml(text);
  if ("because" in parsed) return { fault: `${key}: ${parsed.because}` };
  const { value } = parsed;
  const isMap = value === null || (typeof value === "object" && !Array.isArray(value));
  return isMap ? { value: text } : { fault: `${key}: expected kind and name of an issuer` };
}

/** Deprecated and empty: traces are set up in config-observability. */
export const tracingMap = settingsMap({
  name: "config-tracing",
  component: "tracing",
  settings: {},
  shape: (read) => read,
});
