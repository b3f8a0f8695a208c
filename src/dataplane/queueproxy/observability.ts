// OBSERVABILITY_CONFIG: Knative's config-observability as its controller parsed it, in JSON as Go writes it.
import { parseTemplate } from "../../domain/apis/config/goTemplate.js";
import type { RequestLogSettings } from "../gateway/index.js";

export interface Observability {
  /** Undefined when requests are not logged. */
  readonly requestLog: RequestLogSettings | undefined;
  readonly profiling: boolean;
  /** Who reads figures and traces: what is asked for here and not there is said at the start. */
  readonly unserved: readonly string[];
}

export function readObservability(text: string | undefined, wrong: string[]): Observability {
  const name = "OBSERVABILITY_CONFIG";
  const nothing: Observability = { requestLog: undefined, profiling: false, unserved: [] };
  if (text === undefined || text === "") return nothing;
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    wrong.push(`${name} is not JSON: ${(error as Error).message}`);
    return nothing;
  }
  if (!isObject(read)) {
    wrong.push(`${name} is no JSON object`);
    return nothing;
  }
  const config = read;
  const flag = (member: string) => {
    const value = memberOf(config, member) ?? false;
    if (typeof value !== "boolean") wrong.push(`${name}: ${member} is neither true nor false`);
    return value === true;
  };
  const word = (within: unknown, path: string, member: string, usual: string) => {
    const value = isObject(within) ? (memberOf(within, member) ?? usual) : usual;
    if (typeof value !== "string") wrong.push(`${name}: ${path}${member} is no text`);
    return typeof value === "string" ? value : usual;
  };
  const template = word(config, "", "requestLogTemplate", "");
  const isLogged = flag("enableRequestLog");
  const probes = flag("enableProbeRequestLog");
  if (template === "" && isLogged)
    wrong.push(
      `${name}: "logging.enable-request-log" was set to true, but no "logging.request-log-template" was specified`,
    );
  const parsed = parseTemplate("requestLog", template);
  if ("because" in parsed) wrong.push(`${name}: requestLogTemplate: ${parsed.because}`);
  const profile = word(memberOf(config, "runtime"), "runtime.", "profiling", "disabled");
  if (profile !== "enabled" && profile !== "disabled")
    wrong.push(`${name}: unsupported profile setting ${JSON.stringify(profile)}`);
  const tracing = word(memberOf(config, "tracing"), "tracing.", "protocol", "none");
  const metrics = word(memberOf(config, "requestMetrics"), "requestMetrics.", "protocol", "none");
  return {
    requestLog: isLogged ? { template, probes } : undefined,
    profiling: profile === "enabled",
    unserved: [
      ...(tracing === "none" ? [] : [`traces are not sent (tracing-protocol is ${tracing})`]),
      ...(metrics === "none" || metrics === "prometheus"
        ? []
        : [`figures are not sent, only shown to Prometheus (request-metrics-protocol is ${metrics})`]),
    ],
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Go reads names in any case, and writes some of these in one and some in the other. */
function memberOf(object: Readonly<Record<string, unknown>>, name: string): unknown {
  const key = Object.keys(object).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : object[key];
}
