/**
 * The request log of Knative's config-observability: one line a request, in the shape of the user's template. Pure: told
 * what was seen, it gives back the line.
 */
import { parseTemplate, Struct, type TemplateData } from "../../domain/apis/config/goTemplate.js";
import type { Parsed } from "../../domain/apis/config/goText.js";
import { fieldOf } from "../proxy/index.js";
import { headerOf, type Incoming } from "./incoming.js";
import type { SeenRequest } from "./seen.js";

export interface RequestLogSettings {
  readonly template: string;
  /** Probes are logged like requests. */
  readonly probes: boolean;
}

export interface LoggedRevision {
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  readonly configuration: string;
  readonly podName: string;
  readonly podIp: string;
}

/** A line without its end; none for a probe that is not to be logged. */
export type RequestLine = (seen: SeenRequest) => string | undefined;

export function requestLine(
  { template: source, probes }: RequestLogSettings,
  revisionOf: (seen: SeenRequest) => LoggedRevision,
): Parsed<RequestLine> {
  const template = parseTemplate("requestLog", source);
  if ("because" in template) return template;
  return {
    value: (seen) => {
      const { incoming, status, latencyMs } = seen;
      if (!probes && isProbe(incoming)) return undefined;
      const rendered = template.value.render(toData(seen, revisionOf(seen)));
      if ("value" in rendered) return rendered.value;
      // Upstream's words, which its users' alerts look for.
      return (
        `Invalid request log template: method: ${incoming.method}, response code: ${status}, ` +
        `latency: ${seconds(latencyMs)}, url: ${incoming.target}`
      );
    },
  };
}

function isProbe(incoming: Incoming): boolean {
  return (
    incoming.probe !== undefined ||
    headerOf(incoming, "user-agent")?.startsWith("kube-probe/") === true ||
    headerOf(incoming, "k-kubelet-probe") !== undefined
  );
}

function toData(seen: SeenRequest, revision: LoggedRevision): TemplateData {
  const { incoming } = seen;
  const { target, hop } = incoming;
  const header = (name: string) => headerOf(incoming, name) ?? "";
  const query = target.indexOf("?");
  return {
    Request: new Struct("*http.Request", {
      Method: incoming.method,
      RequestURI: target,
      URL: new Struct("*url.URL", {
        Path: query < 0 ? target : target.slice(0, query),
        RawQuery: query < 0 ? "" : target.slice(query + 1),
      }),
      Host: incoming.host,
      Proto: seen.overH2 ? "HTTP/2.0" : incoming.http10 ? "HTTP/1.0" : "HTTP/1.1",
      RemoteAddr: hop.peer.includes(":") ? `[${hop.peer}]:${hop.port}` : `${hop.peer}:${hop.port}`,
      // As Go counts: what is not told beforehand is less than nothing.
      ContentLength: incoming.contentLength ?? (incoming.chunked ? -1 : 0),
      UserAgent: header("user-agent"),
      Referer: header("referer"),
      // The Host is no header to Go.
      Header: new Struct("http.Header", {
        Get: { takes: 1, call: (name = "") => (/^host$/i.test(name) ? "" : header(name.toLowerCase())) },
      }),
    }),
    Response: new Struct("*http.RequestLogResponse", {
      Code: seen.status,
      Size: seen.bytes,
      Latency: seconds(seen.latencyMs),
    }),
    Revision: new Struct("*http.RequestLogRevision", {
      Name: revision.name,
      Namespace: revision.namespace,
      Service: revision.service,
      Configuration: revision.configuration,
      PodName: revision.podName,
      PodIP: revision.podIp,
    }),
    TraceID: incoming.traceparent?.split("-")[1] ?? fieldOf(incoming.lines, "x-b3-traceid") ?? "",
  };
}

/** To the nanosecond, as Go has it. */
function seconds(ms: number): number {
  return Math.round(ms * 1e6) / 1e9;
}
