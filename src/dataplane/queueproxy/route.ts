// The only route there is: every request, whatever its Host, to the container beside.
import type { Destination, HostRoutes, ListenerTable, RouteTable } from "../gateway/index.js";
import { lettersOf } from "../proxy/index.js";
import type { QueueProxySettings } from "./environment.js";

/** They steer a request between hops; user code does not see them. */
const hidden: ReadonlySet<string> = new Set([
  "knative-serving-revision",
  "knative-serving-namespace",
  "k-network-hash",
]);

/** Where Knative gives no timeout: its own largest. */
const noTimeoutMs = 86_400_000;

export function routeToUser(
  settings: QueueProxySettings,
): Pick<RouteTable, "external" | "local" | "revisions"> {
  const { namespace, revision: name, userPort, pod } = settings;
  const ms = (seconds: number) => (seconds > 0 ? seconds * 1000 : undefined);
  const revision = {
    key: `${namespace}/${name}`,
    namespace,
    name,
    targets: [{ address: `127.0.0.1:${userPort}`, pod }],
    notReady: 0,
    protocol: "asCame",
    hop: "queue-proxy",
    settings: {
      containerConcurrency: settings.containerConcurrency,
      timeoutMs: ms(settings.timeoutSeconds) ?? noTimeoutMs,
      responseStartMs: ms(settings.responseStartTimeoutSeconds),
      idleMs: ms(settings.idleTimeoutSeconds),
      trouble: undefined,
    },
  } as const;
  const to: Destination = {
    kind: "forward",
    revision,
    host: undefined,
    headers: { drop: hidden, lines: [], letters: lettersOf(hidden), text: "", setsOurs: false, shim: true },
    timeoutMs: undefined,
    hash: undefined,
    extras: undefined,
    chain: [],
  };
  const any: HostRoutes = { host: "*", rules: [{ when: [], rewrite: undefined, to }], hash: undefined };
  const table: ListenerTable = {
    exact: new Map(),
    wildcards: new Map(),
    any,
    names: ["*"],
    byPath: new Map(),
  };
  return { external: table, local: table, revisions: [revision] };
}
