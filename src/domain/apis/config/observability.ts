// config-observability: logs, metrics and traces.

import { parseTemplate } from "./goTemplate.js";
import { durationText, parseDuration } from "./goText.js";
import type { ObservabilityConfig } from "./servingConfig.types.js";
import { type Fault, type Reader, type Reading, readers, setting, settingsMap } from "./settings.js";

const { bool, float, text } = readers();

/** One JSON object a request, whose members upstream's log readers know. */
const requestLogTemplate = `{"httpRequest": {${[
  '"requestMethod": "{{.Request.Method}}"',
  '"requestUrl": "{{js .Request.RequestURI}}"',
  '"requestSize": "{{.Request.ContentLength}}"',
  '"status": {{.Response.Code}}',
  '"responseSize": "{{.Response.Size}}"',
  '"userAgent": "{{js .Request.UserAgent}}"',
  '"remoteIp": "{{js .Request.RemoteAddr}}"',
  '"serverIp": "{{.Revision.PodIP}}"',
  '"referer": "{{js .Request.Referer}}"',
  '"latency": "{{.Response.Latency}}s"',
  '"protocol": "{{.Request.Proto}}"',
].join(", ")}}, "traceId": "{{.TraceID}}"}`;

const protocol = (key: string, about: string) => setting(key, "none", text, about);
const endpoint = (key: string, about: string) => setting(key, "", text, about);

export const observabilityMap = settingsMap({
  name: "config-observability",
  component: "observability",
  settings: {
    varLog: setting(
      "logging.enable-var-log-collection",
      "false",
      bool,
      "Whether what a model writes below /var/log is collected.",
    ),
    revisionUrl: setting(
      "logging.revision-url-template",
      "",
      text,
      `Where a Revision's logs are found; \${REVISION_UID} is replaced by its uid.`,
    ),
    logTemplate: setting(
      "logging.request-log-template",
      requestLogTemplate,
      logTemplate,
      "What is logged of a request.",
    ),
    logRequests: setting("logging.enable-request-log", "false", bool, "Whether requests are logged."),
    logProbes: setting(
      "logging.enable-probe-request-log",
      "false",
      bool,
      "Whether probes are logged like requests.",
    ),
    metrics: protocol(
      "metrics-protocol",
      "How our parts send metrics: none, prometheus, grpc or http/protobuf.",
    ),
    metricsEndpoint: endpoint("metrics-endpoint", "Where to, for grpc and http/protobuf."),
    metricsInterval: setting(
      "metrics-export-interval",
      "0s",
      interval,
      "How often; 0s leaves it to the library.",
    ),
    requests: protocol("request-metrics-protocol", "The same for the metrics of requests."),
    requestsEndpoint: endpoint("request-metrics-endpoint", "Where to, for grpc and http/protobuf."),
    requestsInterval: setting("request-metrics-export-interval", "0s", interval, "How often those are sent."),
    profiling: setting(
      "runtime-profiling",
      "disabled",
      profiling,
      "Whether our parts can be profiled: enabled or disabled.",
    ),
    runtimeInterval: setting(
      "runtime-export-interval",
      "15s",
      interval,
      "How often figures of the runtime itself are sent.",
    ),
    tracing: protocol("tracing-protocol", "How traces are sent: none, stdout, grpc or http/protobuf."),
    tracingEndpoint: endpoint("tracing-endpoint", "Where to, for grpc and http/protobuf."),
    sampling: setting("tracing-sampling-rate", "0", float, "Which share of requests is traced, from 0 to 1."),
  },
  check: (read) => [
    ...(read.logRequests && read.logTemplate === ""
      ? [
          {
            keys: ["logging.enable-request-log", "logging.request-log-template"],
            message:
              '"logging.enable-request-log" was set to true, but no "logging.request-log-template" was specified',
          },
        ]
      : []),
    ...sent("metrics", read.metrics, read.metricsEndpoint, ["none"], ["prometheus"]),
    ...sent("request-metrics", read.requests, read.requestsEndpoint, ["none"], ["prometheus"]),
    ...sent("tracing", read.tracing, read.tracingEndpoint, ["none", "stdout"], []),
    ...(read.sampling < 0 || read.sampling > 1
      ? [
          {
            keys: ["tracing-sampling-rate"],
            message: `tracing-sampling-rate: sampling rate ${read.sampling} should be between 0 and 1`,
          },
        ]
      : []),
  ],
  shape: (read): ObservabilityConfig => ({
    enableVarLogCollection: read.varLog,
    revisionUrlTemplate: read.revisionUrl,
    requestLogTemplate: read.logTemplate,
    enableRequestLog: read.logRequests,
    enableProbeRequestLog: read.logProbes,
    metricsProtocol: read.metrics,
    metricsEndpoint: read.metricsEndpoint,
    requestMetricsProtocol: read.requests,
    requestMetricsEndpoint: read.requestsEndpoint,
    tracingProtocol: read.tracing,
    tracingEndpoint: read.tracingEndpoint,
    tracingSamplingRate: read.sampling,
    runtimeProfiling: read.profiling,
  }),
});

/** Whether a protocol and its endpoint go together. Upstream's words, behind the key they are about. */
function sent(
  what: string,
  way: string,
  where: string,
  without: readonly string[],
  eitherWay: readonly string[],
): readonly Fault[] {
  const keys = [`${what}-protocol`, `${what}-endpoint`];
  const quoted = JSON.stringify(way);
  if (eitherWay.includes(way)) return [];
  if (without.includes(way)) {
    const message = `${what}-endpoint: endpoint should not be set when protocol is ${quoted}`;
    return where === "" ? [] : [{ keys, message }];
  }
  if (way !== "grpc" && way !== "http/protobuf") {
    return [{ keys, message: `${what}-protocol: unsupported protocol ${quoted}` }];
  }
  const message = `${what}-endpoint: endpoint should be set when protocol is ${quoted}`;
  return where === "" ? [{ keys, message }] : [];
}

function interval(given: string, key: string): ReturnType<Reader<bigint>> {
  const parsed = parseDuration(given);
  if ("because" in parsed) return { fault: `failed to parse ${JSON.stringify(key)}: ${parsed.because}` };
  return parsed.value < 0n
    ? { fault: `${key}: export interval "${durationText(parsed.value)}" should be greater than zero` }
    : parsed;
}

function profiling(word: string, key: string): Reading<boolean> {
  return word === "enabled" || word === "disabled"
    ? { value: word === "enabled" }
    : { fault: `${key}: unsupported profile setting ${JSON.stringify(word)}` };
}

function logTemplate(source: string, key: string): Reading<string> {
  const template = parseTemplate("requestLog", source);
  return "because" in template ? { fault: `${key}: ${template.because}` } : { value: source };
}
