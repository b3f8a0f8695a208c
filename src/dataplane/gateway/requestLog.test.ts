import { expect, it } from "vitest";
import { readServingConfig } from "../../domain/apis/config/index.js";
import { Hop } from "./hop.js";
import { Incoming } from "./incoming.js";
import { requestLine } from "./requestLog.js";
import type { SeenRequest } from "./seen.js";

const standard = readServingConfig(() => undefined).observability.requestLogTemplate;
const revision = {
  name: "cat-00001",
  namespace: "models",
  service: "cat",
  configuration: "cat",
  podName: "cat-00001-p1",
  podIp: "10.1.2.3",
};

function incoming(more: Partial<Incoming> = {}): Incoming {
  const lines = 'User-Agent: curl/8 "x"\r\nReferer: http://a.test/\r\nX-B3-TraceId: b3\r\n';
  return Object.assign(new Incoming(), {
    method: "POST",
    target: "/v1/models/cat:predict?a=b",
    host: "cat.test",
    hop: new Hop("192.0.2.1", false, 4711),
    lines,
    letters: ~0,
    contentLength: 12,
    ...more,
  });
}

function line(template: string, seen: Partial<SeenRequest> = {}, probes = false): string | undefined {
  const made = requestLine({ template, probes }, () => revision);
  if ("because" in made) throw new Error(made.because);
  return made.value({
    ...{ incoming: incoming(), overH2: false, status: 200, bytes: 34, latencyMs: 12.5 },
    ...{ revision: undefined, pod: undefined, ...seen },
  });
}

it("says in upstream's own template what upstream says", () => {
  expect(line(standard)).toBe(
    '{"httpRequest": {"requestMethod": "POST", "requestUrl": "/v1/models/cat:predict?a\\u003Db", ' +
      '"requestSize": "12", "status": 200, "responseSize": "34", "userAgent": "curl/8 \\"x\\"", ' +
      '"remoteIp": "192.0.2.1:4711", "serverIp": "10.1.2.3", "referer": "http://a.test/", ' +
      '"latency": "0.0125s", "protocol": "HTTP/1.1"}, "traceId": "b3"}',
  );
});

it.each([
  ["{{.Request.Proto}}", { overH2: true }, "HTTP/2.0"],
  ["{{.Request.Proto}}", { incoming: incoming({ http10: true }) }, "HTTP/1.0"],
  ["{{.Request.ContentLength}}", { incoming: incoming({ contentLength: undefined, chunked: true }) }, "-1"],
  [
    "{{.Request.RemoteAddr}}",
    { incoming: incoming({ hop: new Hop("2001:db8::1", true, 1) }) },
    "[2001:db8::1]:1",
  ],
  ["{{.Request.URL.Path}}|{{.Request.URL.RawQuery}}", {}, "/v1/models/cat:predict|a=b"],
  ["{{.TraceID}}", { incoming: incoming({ traceparent: "00-abc-def-01" }) }, "abc"],
  ["{{if gt .Response.Code 499}}bad{{else}}{{.Revision.Service}}{{end}}", {}, "cat"],
  ['{{with .Request}}{{.Header.Get "referer"}}{{.Header.Get "Host"}}{{end}}', {}, "http://a.test/"],
] as const)("%s", (template, seen, said) => {
  expect(line(template, seen)).toBe(said);
});

it.each([
  ["{{.Request.Form}}"],
  ["{{.Request.Header.Get}}"],
  ["{{.Response.Code.X}}"],
  ['{{.Request.Method "x"}}'],
])("%s does not fit, and is said of each request", (template) => {
  expect(line(template)).toBe(
    "Invalid request log template: method: POST, response code: 200, latency: 0.0125, url: /v1/models/cat:predict?a=b",
  );
});

it.each([
  [{ probe: "queue" }],
  [{ lines: "User-Agent: kube-probe/1.30\r\n" }],
  [{ lines: "K-Kubelet-Probe: x\r\n" }],
])("a probe (%j) is logged only when asked for", (probe) => {
  const seen = { incoming: incoming(probe) };
  expect(line("x", seen)).toBeUndefined();
  expect(line("x", seen, true)).toBe("x");
});
